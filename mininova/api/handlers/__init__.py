"""The handlers of the Compute API: one module a noun; routes.py says which function answers which URL."""
