"""Replies: strategies, drafters, checks."""
