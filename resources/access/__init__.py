"""Who may use the API: the keys that sign its tokens, and the tokens themselves."""
