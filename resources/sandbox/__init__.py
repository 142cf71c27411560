"""A local stand-in for X and Reddit, independent of the rest of the code base."""
