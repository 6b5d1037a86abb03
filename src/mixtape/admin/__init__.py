"""The owner's view of the cache: figures over time, maintenance, Prometheus."""
