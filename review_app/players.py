"""Which players of the operator's own pages link into."""

from rejoinder.corpus.moments import Form
from rejoinder.errors import ConfigInvalid
from resources.settings import load_settings
from resources.tuning import load_tuning


def own_players() -> tuple[Form, ...]:
    """Their forms; none where the tuning cannot be read, which the page Models says."""
    try:
        return load_tuning(load_settings()).links.forms
    except ConfigInvalid:
        return ()
