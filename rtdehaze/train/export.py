"""From a checkpoint to what the runtime opens: NAME.onnx and its card, proved to say the same as PyTorch."""

from __future__ import annotations
