"""A literal NumPy interpreter of Darknet cfg and weights, which shares no code with the converter."""
