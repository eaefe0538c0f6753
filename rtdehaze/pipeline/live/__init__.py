"""Live runs: the latest policy, the gaps that a source leaves, and how a run keeps up."""
