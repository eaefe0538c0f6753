"""Uses of the pipeline."""
