"""The recorded chain that runs without a network."""
