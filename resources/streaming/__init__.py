"""Listening through a platform's stream without gaps: one listener per token, its connection, and what lies between."""
