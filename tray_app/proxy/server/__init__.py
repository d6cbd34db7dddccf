"""The gateway's own HTTP server: connections, guards and routes."""
