"""One HTML page that needs nothing beside it."""
