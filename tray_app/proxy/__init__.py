"""The gateway: the only room with asyncio and aiohttp."""
