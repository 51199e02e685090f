"""Measurements: run by `make bench`, never asserted in tests."""
