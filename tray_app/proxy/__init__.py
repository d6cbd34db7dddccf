"""The gateway: its thread, its HTTP server, its exchanges, and the way to upstream."""
