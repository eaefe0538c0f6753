"""How fast the pipeline is on this machine, against the same transcode without dehazing."""
