"""The command line: `loyalty --help`. Exit codes: 0 done, 1 failed, 2 wrong use or a wrong program file."""

from loyalty.cli.application import app, main
from loyalty.cli.commands import config, database, index, pay, price, processes, settle, shows

__all__ = ["app", "main"]

config.register(app)
database.register(app)
index.register(app)
pay.register(app)
price.register(app)
processes.register(app)
settle.register(app)
shows.register(app)
