"""What others said: posts, listening rules, channel policies."""
