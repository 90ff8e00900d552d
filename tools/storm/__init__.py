"""Seeded storms against a real stack: clients ask for things while processes are killed and connections cut.

Read it in the order of a storm: plan (what is drawn from the seed) → cloud (the stack, with a network of ours between
its services and the broker or the database) → clients (who ask, and write down what they were answered) and killer (who
breaks things) → checks (what must be true when all is mended and quiet) → report.  tools/chaos.py runs it.  Nothing
here is imported by mininova.
"""
