"""The REST API, in the shape of Plivo's Number Masking API, so that its clients work unchanged.

Handlers parse, call one thing and render.  Pydantic stays in `schemas` (what comes in) and
`answers` (what goes out); what handlers need of the store they name as protocols in `ports`.
"""
