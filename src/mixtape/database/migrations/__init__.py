"""Alembic's folder: the steps that lead from each revision of the tables to the next."""
