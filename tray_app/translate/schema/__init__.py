"""The JSON schemas of tools: what upstream can take of them, and which types they allow."""
