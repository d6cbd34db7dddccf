"""A chat answer becomes an Anthropic answer, whole or as a stream."""
