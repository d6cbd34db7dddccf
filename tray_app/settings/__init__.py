"""The settings and the keys: their values, and where they are kept."""
