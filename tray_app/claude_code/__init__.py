"""Writes the exports and the settings file for Claude Code."""
