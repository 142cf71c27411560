"""The pure domain: values in, values out; no I/O, no clock, no environment, no framework."""
