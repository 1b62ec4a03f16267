"""The demo's second chain: a Curve pool with a gauge, and a vault with rounds."""
