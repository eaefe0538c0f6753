"""From a frame to its haze: thumbnail, model, session."""
