"""The database: SQLAlchemy lives here, and nothing but SQL does.

``session.Database`` lends connections (``tx``); each other module has the queries about one thing, as functions that
take ``tx`` first and give frozen objects: ``instances.get(tx, uuid)``.  The api, the scheduler, the conductor and
mininova-manage import this; a compute node never does.
"""
