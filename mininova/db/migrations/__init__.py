"""The steps from one schema to the next, numbered; mininova/db/schema.py walks them with Alembic."""
