"""What a compute may ask of a conductor: its own instances only, and reports within its limits."""
