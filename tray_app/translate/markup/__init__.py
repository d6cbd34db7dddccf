"""Finds tool calls and thinking that a model wrote into its text."""
