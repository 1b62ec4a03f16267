"""The one place where things are wired: settings to program, database, chains, price sources and jobs."""

from loyalty.service.database import database_lock, database_path, open_database, wall_clock
from loyalty.service.engine import Engine

__all__ = ["Engine", "database_lock", "database_path", "open_database", "wall_clock"]
