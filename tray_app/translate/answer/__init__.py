"""Turns a chat answer into an Anthropic answer, whole or as a stream."""
