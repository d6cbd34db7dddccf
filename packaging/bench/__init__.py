"""Measures this gateway, and others beside it, with a load generator and an upstream of its own. See command.py."""
