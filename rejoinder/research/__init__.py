"""Evidence for a claim, and what it says of the claim."""
