"""A deliverer for tests: sinks as a test wants them, receivers that keep what they get, a clock that the test moves."""

from datetime import UTC, datetime, timedelta
from typing import Any

from resources.notices import notify
from resources.notifications.delivering import DeliveryReport, Ground, deliver_due
from resources.notifications.message import Message
from resources.notifications.outbox import gather
from resources.tuning_notifications import Notifications

TEAM = {"name": "team", "kind": "webhook", "url": "https://a.example"}
PAGER = {"name": "pager", "kind": "pagerduty"}
MAIL = {"name": "post", "kind": "email", "host": "m.example", "sender": "a@b.example", "to": ["c@d.example"]}


class Receivers:
    """Sinks that keep what they get; whatever stands in `troubles` is raised first."""

    def __init__(self) -> None:
        self.got: dict[str, list[Message]] = {}
        self.troubles: list[Exception] = []

    def __call__(self, tuning: Any, timeout_s: float) -> Any:
        receivers = self

        class One:
            def send(self, message: Message) -> None:
                if receivers.troubles:
                    raise receivers.troubles.pop(0)
                receivers.got.setdefault(tuning.name, []).append(message)

        return One()

    def kinds(self, sink: str) -> list[list[str]]:
        return [[notice.kind for notice in message.notices] for message in self.got.get(sink, [])]


class Post:
    """The deliverer of a test: sinks as the test wants them, a clock that it moves."""

    def __init__(self, desk: Any, *sinks: dict[str, Any], **more: Any) -> None:
        self.desk, self.receivers = desk, Receivers()
        self.start = self.at = datetime.now(UTC)
        self.tuning = Notifications.model_validate({"sinks": sinks, **more})
        self.ground = Ground(
            desk.db, self.tuning, now=lambda: self.at, chance=lambda: 1.0, open_sink=self.receivers
        )
        for sink in self.tuning.sinks:
            gather(desk.db, sink, self.start)
        self.desk.rows(
            "update notification_sink set known_since = now() - interval '1 hour', gathered_at = null"
        )

    def tell(self, kind: str = "refused", message: str = "m", **about: Any) -> None:
        notify(self.desk.db, kind, message, **about)

    def deliver(self, later_s: float = 0.0) -> DeliveryReport:
        self.at = self.start + timedelta(seconds=later_s)
        return deliver_due(self.ground)

    def states(self) -> list[str]:
        return [row["state"] for row in self.desk.rows("select state from notification_delivery order by id")]
