"""How the tables became what they are: one file a step, ``NNNN_what_became_true.py``, whose revision is the number.

mininova/db/schema.py runs the steps that a database has not had.  A step imports no models: they go on changing.
"""
