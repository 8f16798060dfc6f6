"""Parameters, stored elements and recipes: what a user can set. Needs neither numpy nor HDF5."""
