"""Sounds: what clients offer, made into what Asterisk plays; and recordings, made into mp3.

A file from anywhere may be made to break what decodes it.  So nothing is decoded in the bridge:
`worker` starts a child process (``python -m bridge.audio``) for each file, with limits on its time,
memory and output, a low priority, and none of the bridge's environment, which holds secrets.
A file that kills its decoder kills nothing else.
"""
