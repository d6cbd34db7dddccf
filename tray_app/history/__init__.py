"""What happened: a record of each request, and sums per day. No text of a prompt or an answer, and no key is kept."""
