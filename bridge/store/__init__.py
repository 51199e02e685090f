"""Postgres: what must last.  Knows SQL (in ``sql/``), gives and takes values of the domain."""
