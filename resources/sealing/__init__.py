"""Credentials as they are stored: sealed with keys that are kept elsewhere than the rows."""
