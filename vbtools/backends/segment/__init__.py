"""Person segmenters: one module each."""
