"""The embedded stack: Postgres, Asterisk and the bridge on one machine, to try and to test.

`python -m bridge.embedded` installs, runs and shows it; the end-to-end tests stand on it.  Nothing
of the service imports this package.
"""
