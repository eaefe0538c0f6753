"""Real-time video dehazing: haze estimated on a thumbnail, removed at full resolution."""

__version__ = "0.1.0"
