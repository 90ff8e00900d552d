"""The scheduler process: it chooses hosts, and claims their room."""
