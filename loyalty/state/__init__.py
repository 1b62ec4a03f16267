"""The database: engine, StateTransaction, tables, migrations, backup."""

from loyalty.state.engine import State, open_state
from loyalty.state.transaction import StateTransaction

__all__ = ["State", "StateTransaction", "open_state"]
