"""Claude NVIDIA Tray: a tray icon whose gateway lets Claude Code work with NVIDIA's hosted models."""

__version__ = "0.1.0"
APP_ID = "claude-nvidia-tray"
APP_NAME = "Claude NVIDIA Tray"
