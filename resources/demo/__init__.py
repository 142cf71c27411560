"""The demo: the whole loop once, on the sandbox, with an outside count of what was published."""
