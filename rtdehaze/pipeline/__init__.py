"""The stages put together: the arithmetic of one frame, the threads, the report."""
