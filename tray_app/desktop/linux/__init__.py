"""The desktop of Linux: certificates, clipboard, file manager, and the tray icon."""
