"""One file a subject; each registers its commands with the application."""
