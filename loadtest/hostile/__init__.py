"""Attacks on the gateway, and parties whose faults have the same effect."""
