"""The one way out for HTTP to addresses that clients name: callbacks, and prompts to be fetched.

Where it may lead is decided in `bridge.domain.egress`.  Errors and their texts hold nothing of a
URL, for a URL holds credentials, tokens and numbers.
"""
