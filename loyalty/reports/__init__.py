"""Read models: what people are shown, as JSON-ready values. API and CLI read the same ones.

Each is a function of a `Snapshot`, one committed state of the database, and knows no clock: the same database gives the
same answer, so that an answer can be kept until something is committed. Shapes are those of docs/api.md.
"""
