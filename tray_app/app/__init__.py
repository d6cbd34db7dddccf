"""Who starts what, and on which thread."""
