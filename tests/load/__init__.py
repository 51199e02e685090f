"""Calls at full rate with everything going wrong at once, and whether each of them was told of.

`course` has it happen, with the phones of `phones` and the application of `receiver`; `proof`
compares afterwards what SIPp, Postgres and the application have seen.  Run by
``tests/e2e/test_events_under_load.py``, and longer by ``python -m tests.load``.
"""
