"""Models: which prompts are in force, going back to an earlier one, and the endpoints that answer."""

from review_app.screens.endpoints import show_endpoints
from review_app.screens.prompts import show_prompts


def page() -> None:
    """Draw the page."""
    show_prompts()
    show_endpoints()
