"""One file a step, ``NNNN_what_became_true.py``; its revision is the number.  A step never imports the models."""
