"""Translates between Anthropic's Messages API and OpenAI's Chat Completions API, without any input or output."""
