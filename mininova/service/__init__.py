"""What every process of the control plane has: a start and an end, threads, an HTTP server, a log, versions."""
