"""The tables.  A module brings its own tables into the one metadata; migrations/env.py imports them all."""
