"""The learning loop: data, networks, losses, training, export. Needs the extra `[train]` (PyTorch)."""
