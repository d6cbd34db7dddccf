"""The way to NVIDIA: the HTTP client, pacing, and what is learned of its models."""
