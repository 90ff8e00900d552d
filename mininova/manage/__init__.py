"""The commands of mininova-manage: tables, first users, services and hosts, broker users, parked messages.

Each module holds the commands of one subject, as functions of what they work on and the parsed arguments;
cmd/manage.py is the table of them.  They work on the database and need no broker, but for ``parked``, where it is
the other way round.
"""
