"""Publications: states, verdicts on failures, pacing, hand-off links."""
