"""The state of the program, and the sentences that tell the user about it."""
