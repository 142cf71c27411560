"""Schedules: what happens by the clock rather than because rows are due."""

import dagster as dg

from jobs import pipeline

listen_every_minute = dg.ScheduleDefinition(
    name="listen_every_minute",
    job=pipeline.listen,
    cron_schedule="* * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
train_every_night = dg.ScheduleDefinition(
    name="train_every_night",
    job=pipeline.train,
    cron_schedule="15 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
ALL = (listen_every_minute, train_every_night)
