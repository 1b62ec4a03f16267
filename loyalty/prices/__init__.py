"""Price sources and how one is chosen."""
