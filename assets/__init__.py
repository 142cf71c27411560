"""Thin Dagster assets, one file per stage; each says what one row is."""
