"""The demo's story, played on a real node with the real contracts, and what is kept of it."""
