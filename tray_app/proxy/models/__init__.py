"""Finds out which of NVIDIA's models answer with the key in use."""
