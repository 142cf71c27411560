-- When approved replies are to go out: slots that are taken, what is planned, changes of mind.

-- name: hold_calendar
-- Whoever wants a slot of a channel takes turns, so that two never get the same one.
select pg_advisory_xact_lock(21082, %(channel_id)s::int)

-- name: taken_slots
select scheduled_for from publication
where channel_id = %(channel_id)s and schedule = 'slot' and scheduled_for > %(now)s
  and state in ('queued', 'sending', 'sent', 'unknown')

-- name: measured_replies
-- What the replies of a channel earned in their first day, the latest.
select p.sent_at, s.likes + s.replies + s.reposts as reactions
from publication p join engagement_snapshot s on s.publication_id = p.id and s.window_s = 86400
where p.channel_id = %(channel_id)s and p.state = 'sent' and p.sent_at is not null and not s.is_deleted
order by p.sent_at desc
limit 1000

-- name: planned_publications
select p.id, p.post_id, c.name as channel, p.schedule, p.scheduled_for, p.schedule_zone, p.due_at, p.reason_code,
       p.detail, a.text, d.name as approved_by
from publication p
join channel c on c.id = p.channel_id
join publication_part a on a.publication_id = p.id and a.position = 0
join review r on r.id = p.review_id
join person d on d.id = r.reviewer_id
where p.state = 'queued' and (%(channel)s::text is null or c.name = %(channel)s)
order by p.due_at, p.id
limit %(top)s

-- name: publication_schedule
select p.id, p.post_id, p.channel_id, p.state, p.schedule, p.scheduled_for, p.schedule_zone, p.parts_sent
from publication p where p.id = %(id)s

-- name: lock_queued_publication
select id from publication where id = %(id)s and state = 'queued' for update

-- name: move_publication
-- Its time has not passed before it was tried, so a new one may be given; nothing else of it changes.
update publication
set schedule = %(schedule)s, scheduled_for = %(scheduled_for)s, schedule_zone = %(schedule_zone)s,
    due_at = coalesce(%(scheduled_for)s::timestamptz, now()), reason_code = null, detail = null
where id = %(id)s and state = 'queued'
returning id
