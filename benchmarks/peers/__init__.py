"""Other methods in the same pipeline: plain, honest implementations, at the full resolution of the video."""
