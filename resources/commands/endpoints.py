"""Endpoints of models as people change them: switched on and off, called again after failures."""

from rejoinder.errors import ConfigInvalid
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database, Transaction
from resources.tuning_models import LOCAL


def switch_endpoint(db: Database, actor: Actor, name: str, *, is_enabled: bool) -> None:
    """Let an endpoint be called, or leave it alone until somebody lets it be called again; calls under way go on.

    Raises:
        NotAllowed: the actor's role does not manage models.
        ConfigInvalid: there is no such endpoint, it is so already, or it is the one that needs no model.
    """
    if name == LOCAL:
        raise ConfigInvalid(f"The endpoint {LOCAL} cannot be switched: it answers where no model does.")
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_models")
        if tx.row("switch_endpoint", name=name, is_enabled=is_enabled) is None:
            raise _nothing_to_do(tx, name, "on" if is_enabled else "off")
        record(
            tx, acting, f"{'enable' if is_enabled else 'disable'}_endpoint", "endpoint", None, {"name": name}
        )


def reset_endpoint(db: Database, actor: Actor, name: str) -> None:
    """Call an endpoint again at once that was left alone after failures.

    Raises:
        NotAllowed: the actor's role does not manage models.
        ConfigInvalid: there is no such endpoint, or it has not failed.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_models")
        row = tx.row("reset_endpoint", name=name)
        if row is None:
            raise _nothing_to_do(tx, name, "well")
        record(
            tx, acting, "reset_endpoint", "endpoint", None, {"name": name, "last_error": row["last_error"]}
        )


def _nothing_to_do(tx: Transaction, name: str, state: str) -> ConfigInvalid:
    if tx.value("endpoint_is_known", name=name):
        return ConfigInvalid(f"The endpoint {name} is {state} already.", fix="Nothing has to be done.")
    fix = "Name one of those that `rejoinder endpoints list` shows."
    return ConfigInvalid(f"There is no endpoint {name}.", fix=fix)
