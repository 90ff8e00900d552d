"""The compute process: one host, its guests, and no database."""
