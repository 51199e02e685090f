"""Sounds that clients name by URL: fetched before they are needed, kept as Asterisk plays them."""
