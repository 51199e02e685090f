"""Answers, field by field as Plivo's fixtures have them: one module a noun."""
