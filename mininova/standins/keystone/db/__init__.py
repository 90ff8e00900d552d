"""The tables of the stand-in for Keystone, and the queries on them."""
