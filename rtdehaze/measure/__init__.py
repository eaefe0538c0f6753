"""What is measured of pictures and clips: fidelity and flicker."""
