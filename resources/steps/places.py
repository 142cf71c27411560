"""Where each step of a post hands it on."""

from rejoinder.review.moves import Place

TRIAGE = Place("triage", "pending")
RESEARCH = Place("research", "pending")
RESPONSE = Place("response", "pending")
EDITORIAL = Place("editorial", "pending")
REVIEW = Place("review", "pending")
