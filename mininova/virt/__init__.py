"""Hypervisors: the contract that compute wants kept, and a fake that keeps it."""
