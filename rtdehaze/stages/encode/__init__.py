"""The encode stage: frames and copied packets in, a file or pictures out, complete or not at all."""
