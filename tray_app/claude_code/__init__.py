"""What the app writes for Claude Code."""
