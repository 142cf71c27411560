"""Dagster jobs, schedules and the composition root."""
