"""From a file to frames and packets."""
