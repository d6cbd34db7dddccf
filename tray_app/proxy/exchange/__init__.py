"""One request from the client to upstream and back, and what all requests share."""
