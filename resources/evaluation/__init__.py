"""Evaluations on public data in the field's own formats: loaders, systems side by side, reports."""
