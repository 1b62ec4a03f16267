"""The database: engine, StateTransaction, tables, migrations, backup."""
