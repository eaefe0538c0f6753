"""Models scored side by side, on pairs, clips and real haze: figures, JSON, and a page to look at."""
