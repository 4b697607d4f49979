"""Many runs, oldest first."""
