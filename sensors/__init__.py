"""Dagster sensors: one condition each."""
