"""Notices that are due: outcomes that stay unknown, trouble that is over, messages to send."""

from datetime import UTC, datetime

import dagster as dg

from jobs.deliver import deliver_notifications
from resources.notifications.delivering import count_due
from resources.tuning import Tuning
from resources.workbench import Workbench
from sensors.asking import ask


def notifications_due(tuning: Tuning) -> dg.SensorDefinition:
    """Asks for a delivery while there is something to tell, to end or to send."""

    @dg.sensor(
        name="notifications_due",
        job=deliver_notifications,
        minimum_interval_seconds=tuning.notifications.interval_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="A reply's outcome stays unknown, a trouble is over, or a sink has something to be told.",
    )
    def sense(
        context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
    ) -> dg.SensorResult | dg.SkipReason:
        due = count_due(bench.db, bench.tuning.notifications, datetime.now(UTC))
        return ask(context, "deliver_notifications", due)

    return sense
