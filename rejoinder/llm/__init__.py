"""Ports to models: what a stage may ask of an embedder or a language model."""
