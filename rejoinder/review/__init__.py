"""What a person may decide: legal moves of a post, roles, decisions, diffs."""
