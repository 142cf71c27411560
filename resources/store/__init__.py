"""Rows to values and back, one module per noun; the only callers of the named queries."""
