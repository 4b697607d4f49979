"""Memory-leak regression harness for streaming speech models."""
