"""What is on disk between the layers: what was asked, what was measured, what came of it."""
