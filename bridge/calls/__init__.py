"""Call control: stories over legs and decisions.

A call is one story in `masked_call`, read from top to bottom; `switchboard` runs every call in a
task of its own; `housekeeping` finds what a crash or a gap left behind.  What they need of Postgres
and of Asterisk they name as protocols; `bridge.main` brings them together.
"""
