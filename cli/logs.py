"""Logs go to stderr, so that stdout holds a command's answer alone."""

import logging
import sys


def configure_logs() -> None:
    """One line per record on stderr, at the level that REJOINDER_LOG_LEVEL names."""
    level = _level()
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("rejoinder").setLevel(level)
    # It warns of each attempt with the whole address; what came of them all is in the command's own report.
    logging.getLogger("prawcore").setLevel(logging.ERROR)


def _level() -> int:
    from rejoinder.errors import ConfigInvalid
    from resources.settings import load_settings

    try:
        name = load_settings().log_level.upper()
    except ConfigInvalid:
        return logging.INFO
    return logging.getLevelNamesMapping().get(name, logging.INFO)
