"""Alembic's migrations, run by :func:`results.store.schema.migrate` alone.

A change of :mod:`results.store.tables` needs a new file ``versions/NNNN_what_changed.py``, written
by hand; the test that compares the migrated schema with the tables says what is missing in it. A
released migration is never edited.
"""
