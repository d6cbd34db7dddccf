"""The desktop of Linux: the tray over D-Bus, notifications, terminals."""
