"""Adapters to the platforms people post on, behind one port."""
