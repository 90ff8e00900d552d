"""The conductor process: it leads every build, and writes to the database on behalf of the compute nodes."""
