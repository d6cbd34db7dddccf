"""The desktop of Windows: the icon in the notification area, message boxes, consoles."""
