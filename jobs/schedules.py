"""Schedules: what happens by the clock rather than because rows are due."""

import dagster as dg

from jobs import pipeline

listen_every_minute = dg.ScheduleDefinition(
    name="listen_every_minute",
    job=pipeline.listen,
    description="Ask every minute what enabled channels have that was not heard yet.",
    cron_schedule="* * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
train_every_night = dg.ScheduleDefinition(
    name="train_every_night",
    job=pipeline.train,
    description="Train the relevance classifier at night, when little else is to be done.",
    cron_schedule="15 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
ALL = (listen_every_minute, train_every_night)
