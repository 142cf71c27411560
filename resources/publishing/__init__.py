"""Sending what was approved: claim and commit, send once, settle, and read back what was not seen."""
