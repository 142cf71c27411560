"""From passages that retrieval found to a context within a token budget, every line of it citable."""
