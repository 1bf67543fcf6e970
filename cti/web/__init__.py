"""The HTTP door: API, health, metrics."""
