"""What each view of the page shows, made from values. Nothing here knows HTTP."""
