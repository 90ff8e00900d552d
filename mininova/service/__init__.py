"""What every process of the control plane has: its life, its log, its HTTP server, the levels it speaks."""
