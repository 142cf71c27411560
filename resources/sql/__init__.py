"""SQL as files: migrations (forward only), named queries, DuckDB marts."""
