"""What is going on, and the sentences that tell the user so."""
