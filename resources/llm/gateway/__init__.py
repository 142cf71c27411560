"""The gateway: wrappers that record, cache, fall back, retry, budget and limit calls of models."""
