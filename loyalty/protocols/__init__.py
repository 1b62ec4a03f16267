"""Logs to facts, one folder a protocol. Pure: adapters ask for logs by yielding queries and never touch a network."""
