"""An Anthropic request becomes a chat request."""
