"""Worker processes for requests that would hold up others."""
