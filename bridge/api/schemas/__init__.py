"""Requests as clients send them: one module a noun, Pydantic, and nothing of it further in."""
