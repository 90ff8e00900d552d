"""What the broker itself enforces: its users, their rights, and its definitions."""
