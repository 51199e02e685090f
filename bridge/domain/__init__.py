"""What masking means: values and decisions.

Pure: no I/O, no clock, no randomness, no logging.  What a decision needs is an argument.
May import the standard library and phonenumbers.
"""
