"""The HTTP API for other services: routes and schemas over the same commands that people use."""
