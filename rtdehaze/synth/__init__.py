"""Haze that we make ourselves: rendered drives and haze on given pictures."""
