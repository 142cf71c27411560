"""Versioned prompt files (<task>.v<N>.md) and their loader."""
