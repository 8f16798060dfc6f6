"""Aggregators: one module each; what they share (tiles, time blocks, warping, masks) is in ``tiles``."""
