"""The Asterisk REST Interface.  Knows Asterisk; knows nothing of masking.

`aioari` is used as a typed facade: its client, operation table and argument checks.  The transport
under it, the event loop beside it and the dispatch to legs are ours, for the published ones
neither reconnect nor time out, and put the password into URLs.
"""
