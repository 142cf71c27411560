"""The PostgreSQL that comes with Rejoinder: where its files lie, and how it starts and stops."""
