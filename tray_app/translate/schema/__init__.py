"""Reads the JSON schemas of tools, and simplifies them for upstream."""
