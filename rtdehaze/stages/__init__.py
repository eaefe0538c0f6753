"""The stages of a frame's way, one folder each: capture, estimate, smooth, recompose, encode."""
