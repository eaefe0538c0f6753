"""Dehazing on a GPU from plane to plane: graphs built here, run by ONNX Runtime, fed over several streams."""
