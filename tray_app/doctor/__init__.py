"""Looks at everything between Claude Code and NVIDIA, and says what is wrong and how to cure it."""
