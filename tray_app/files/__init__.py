"""Reads and writes files so that nothing is lost and no other user can read them."""
