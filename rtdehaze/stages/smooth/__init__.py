"""From the haze of single frames to haze that is steady over time."""
