"""Parties that mean harm, or are broken in a way that looks like it."""
