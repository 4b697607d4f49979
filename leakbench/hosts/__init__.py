"""Who calls the harness from Python: a script, a service, pytest, a self-test."""
