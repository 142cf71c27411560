"""Which posts are worth answering: relevance cascade, check-worthy claims, priority."""
