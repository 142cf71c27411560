"""The rejoinder command; every command is a thin caller of resources."""
