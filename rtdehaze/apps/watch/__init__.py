"""What is made of a live run's haze besides pictures: telemetry, events, metrics, profiles."""
