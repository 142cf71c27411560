"""Models: which prompts are in force, going back to an earlier one, and the endpoints that answer."""

from resources.settings import load_settings
from resources.tuning import Tuning, load_tuning
from review_app.escaped import note
from review_app.problems import describe
from review_app.screens.endpoints import show_endpoints
from review_app.screens.prompts import show_prompts


def page() -> None:
    """Draw the page."""
    tuning = _tuning()
    show_prompts(tuning.models)
    show_endpoints(tuning.budget)


def _tuning() -> Tuning:
    """The tuning in force, or the defaults where the file is wrong, which is said."""
    try:
        return load_tuning(load_settings())
    except Exception as error:
        problem = describe(error)
        note(problem.text, problem.title, "bad")
        return Tuning()
