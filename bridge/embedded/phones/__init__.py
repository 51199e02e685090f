"""Phones for trying and testing: SIPp plays the signalling, `Sound` the audio.

A phone is one SIPp process with a scenario of steps; a test composes it from `steps`, and moves it
on by a cue, so that nothing depends on how long anything takes.
"""
