"""Writes down what a call leaves behind, in one round trip where nothing stands in the way."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rejoinder.errors import ServiceUnavailable
from resources.llm.gateway.calls import error_in_words

if TYPE_CHECKING:
    from resources.llm.gateway.holder import Holder
    from resources.llm.gateway.settling import Owed, Settlements

log = logging.getLogger("rejoinder.llm")

Values = Mapping[str, Any]
NOTHING_OWED = dict.fromkeys(("lease_endpoint", "place", "lease_worker", "number", "charged_usd", "now"))
NOTHING_KEPT = dict.fromkeys(("key", "reply", "checksum", "size_bytes", "kept_at", "expires_at"))


@dataclass(frozen=True, slots=True)
class Ledger:
    """Settles a call's lease, records the call and keeps its answer."""

    holder: "Holder"
    settlements: "Settlements"

    def write(self, run: Values, answer: Values | None, lease: int | None, within_s: float) -> bool:
        """Do all of it; where that fails, settle and record one by one. Whether the answer is kept.

        Args:
            run: the call, as parameters of record_call.
            answer: what is kept, as of `KeptAnswers.row`; None where nothing is.
            lease: the number of a lease whose settlement is owed; None where none is.
            within_s: how long PostgreSQL is waited for while it is away.

        Raises:
            ServiceUnavailable: it stayed away; what is owed is settled with a later call.
            Exception: the call could not be recorded.
        """
        owed = self.settlements.take(lease)
        try:
            self._finish(run, answer, owed, within_s)
        except ServiceUnavailable as trouble:
            if owed is not None:
                self.settlements.put_off(owed, trouble)
            raise
        except Exception as trouble:
            if answer is not None:
                log.warning("an answer is not kept: %s", error_in_words(trouble))
            if owed is not None:
                self.settlements.pay_or_put_off(owed)
            self.holder.rows("record_call", **run)
            return False
        except BaseException:  # whoever was interrupted may live on and want the place
            if owed is not None:
                self.settlements.owe_again(owed)
            raise
        return answer is not None

    def _finish(self, run: Values, answer: Values | None, owed: "Owed | None", within_s: float) -> None:
        values = {**run, **(_as_parameters(owed) if owed else NOTHING_OWED), **(answer or NOTHING_KEPT)}
        (row,) = self.holder.rows_when_back("finish_call", within_s, **values)
        if owed is not None and row["model_run_id"] is not None:  # else it was done before and not heard
            self.settlements.heard(owed, is_settled=row["is_settled"])


def _as_parameters(owed: "Owed") -> dict[str, Any]:
    """The names of finish_call, which has an endpoint and costs of the call besides those of the lease."""
    values = owed.values
    return {
        "lease_endpoint": values["endpoint"],
        "place": values["place"],
        "lease_worker": values["worker"],
        "number": values["number"],
        "charged_usd": values["cost_usd"],
        "now": values["now"],
    }
