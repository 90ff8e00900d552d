"""The tables of the stand-in for Glance, and the queries on them."""
