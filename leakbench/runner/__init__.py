"""Runs the cells of a plan in worker processes, and stops each as soon as it is decided."""
