"""Working off what is due: workers, the one claim, and the loop that all stages share."""
