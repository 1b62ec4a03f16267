"""The command line: `loyalty --help`. Exit codes: 0 done, 1 failed, 2 wrong use or a wrong program file."""

from loyalty.cli.application import app, main
from loyalty.cli.commands import backfill, config, database, index, indexer, pay, price, processes, settle, shows

__all__ = ["app", "main"]

backfill.register(app)
config.register(app)
database.register(app)
index.register(app)
indexer.register(app)
pay.register(app)
price.register(app)
processes.register(app)
settle.register(app)
shows.register(app)
