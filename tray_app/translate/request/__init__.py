"""Translates Anthropic's requests to chat requests."""
