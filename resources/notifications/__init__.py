"""Notifications on their way to people: what is to be told, the outbox, the sinks, and delivering."""
