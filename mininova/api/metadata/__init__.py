"""The metadata service: what a guest can read about itself (nova: api/metadata)."""
