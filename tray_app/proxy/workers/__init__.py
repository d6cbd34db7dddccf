"""Worker processes for requests that would delay others in the event loop."""
