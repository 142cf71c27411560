"""What a person may do to embedding indexes beyond building them: drop the vectors of one that is not in use."""

import psycopg

from rejoinder.errors import ConfigInvalid
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database
from resources.store.embedding_indexes import list_indexes


def drop_index(db: Database, actor: Actor, index_id: int) -> None:
    """Drop the vectors of an index that searches do not read; its row stays, and they can be made again.

    Raises:
        ConfigInvalid: there is no such index, or searches read it.
        NotAllowed: the role does not allow it.
    """
    try:
        with db.transaction() as tx:
            actor = authorise(tx, actor, "ingest")
            model = next((index.model for index in list_indexes(tx) if index.id == index_id), None)
            if model is None:
                raise ConfigInvalid(
                    f"There is no embedding index {index_id}: `rejoinder models list` names them."
                )
            tx.execute("drop_embedding_index", index_id=index_id)
            record(tx, actor, "drop_embedding_index", "embedding_index", index_id, {"model": model})
    except psycopg.errors.ObjectInUse:
        raise ConfigInvalid(
            f"Embedding index {index_id} is the one that searches read.",
            fix="Change to another model first: embedding.model in rejoinder.toml, then `rejoinder models build`.",
        ) from None
