"""What the API answers, for its description; `bridge.api.render` makes it.  One module a noun.

Field names, types and forms are those of Plivo's fixtures.  The tests hold every answer to these.
"""
