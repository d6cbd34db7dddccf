"""Upstream's errors become errors for the client, or a change of the request."""
