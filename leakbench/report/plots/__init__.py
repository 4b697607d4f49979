"""How growth is drawn: curves, panels, overlays, release steps."""
