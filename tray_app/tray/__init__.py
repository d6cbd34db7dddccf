"""The tray icon and its menu, the same on each system."""
