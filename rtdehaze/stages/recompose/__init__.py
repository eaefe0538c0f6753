"""From a frame and its haze to a clear frame."""
