"""Recordings after their calls: converted, kept, erased in time.  Imports store, audio, domain."""
