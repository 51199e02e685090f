"""The command line, ``masking-bridge``: what an operator types.  One module a noun."""
