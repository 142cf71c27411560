"""Providers of language models, a module each, loaded when an endpoint names them."""
