"""From frames and packets to a file."""
