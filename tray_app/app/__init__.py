"""Starts the parts of the program, each on its thread, and stops them."""
