"""Events on their way to the application that made the session.

`delivery` takes them out of Postgres one by one and sends them, `request` is what one looks like on
the wire, `signatures` is how a receiver can tell that it is ours.  What is tried again, and when,
is decided in `bridge.domain.delivery`; what an event says, in `bridge.domain.events`.
"""
