"""Anthropic Messages <-> OpenAI Chat Completions: pure functions and one state machine, no I/O."""
