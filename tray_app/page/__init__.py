"""The page that the gateway shows to a browser on this machine: what goes on, what happened, and every setting."""
