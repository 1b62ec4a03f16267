"""Contracts: what those of the program file say of themselves, checked against it, and how they are registered."""
