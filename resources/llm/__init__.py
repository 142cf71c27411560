"""Model providers behind the ports of rejoinder.llm, and the record of every call."""
