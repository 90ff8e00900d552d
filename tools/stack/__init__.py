"""The local stack: a whole mininova on one machine, as tools/stack.sh and tools/unstack.sh start and stop it.

Read it in the order of a start: cli (the words on the command line) → settings and home (what was asked for, and
where it is kept) → up (the steps) → broker and services (the programs) → supervisor (who runs them) → readiness
(when they are up) → clouds (how clients get in).  down is the way back.  Nothing here is imported by mininova.
"""
