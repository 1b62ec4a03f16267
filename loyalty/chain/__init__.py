"""JSON-RPC: one endpoint, failover over several, logs over a span, headers, recordings."""
