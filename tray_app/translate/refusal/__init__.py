"""Translates upstream's errors to errors for the client, or to a change of the request."""
