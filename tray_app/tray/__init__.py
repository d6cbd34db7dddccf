"""The icon and its menu: the only room with pystray and PIL."""
