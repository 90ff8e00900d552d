"""What an operator does beside the running services: the schema, the first users, what is alive.

Each module holds the commands of one subject, as functions of the settings and the parsed arguments;
cmd/manage.py is the table of them.  They work on the database, and none of them needs the broker.
"""
