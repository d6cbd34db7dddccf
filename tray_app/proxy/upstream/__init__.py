"""The way to upstream: the HTTP client, pacing, and what is learned of each model."""
