-- One claim for all stages: post, source, measurement, ingestion and epoch have the same work columns.

-- name: next_worker_number
select nextval('worker_number')::int as worker

-- name: hold_worker_lock
select pg_advisory_lock(21066, %(worker)s)

-- name: claim_items
-- Takes what is due: waiting rows whose time has come, and rows whose holder is gone or out of time.
-- A row that was in hand when its holder went counts one crash, and goes behind those that never were: what
-- brings its worker down must not keep the others waiting.
-- tables: post, source, measurement, ingestion, epoch
with alive as materialized (
  select worker from living_worker
), due as (
  select id, in_hand_at
  from {table}
  where step = %(step)s and (
    (status in ('pending', 'failed') and due_at <= %(now)s)
    or (status = 'processing' and (lease_until < now() or lease_worker not in (select worker from alive)))
  )
  order by crashes, priority desc, id
  limit %(batch)s
  for update skip locked
)
update {table} t
set status = 'processing', lease_worker = %(worker)s, lease_until = now() + make_interval(secs => %(lease_s)s),
    crashes = t.crashes + (due.in_hand_at is not null)::int, in_hand_at = null
from due
where t.id = due.id
returning t.id, t.attempts, t.crashes, t.priority

-- name: take_in_hand
-- tables: post, source, measurement, ingestion, epoch
update {table} set in_hand_at = clock_timestamp()
where id = any (%(ids)s) and lease_worker = %(worker)s

-- name: free_items
-- tables: post, source, measurement, ingestion, epoch
update {table} set status = 'pending', lease_worker = null, lease_until = null, in_hand_at = null
where id = any (%(ids)s) and lease_worker = %(worker)s and status = 'processing'

-- name: fail_item
-- Waits for its back-off, which doubles with each failure up to an hour, or as long as it was asked to; or is dead when the attempts are used up.
-- tables: post, source, measurement, ingestion, epoch
update {table}
set status = case when attempts + 1 >= %(max_attempts)s then 'dead' else 'failed' end,
    attempts = attempts + 1,
    due_at = %(now)s + make_interval(secs => greatest(%(asked_s)s,
      least(%(backoff_s)s * power(2, attempts), greatest(%(backoff_s)s, 3600)))),
    lease_worker = null, lease_until = null, in_hand_at = null, last_error = %(error)s,
    updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id, status

-- name: postpone_item
-- What it needs is away: it waits twice as long as it did the last time, ten minutes at most, and loses no attempt.
-- tables: post, source, measurement, ingestion, epoch
update {table}
set status = 'failed', due_at = %(now)s + make_interval(secs => least(
      greatest(%(backoff_s)s, 2 * extract(epoch from due_at - updated_at)::float8), greatest(%(backoff_s)s, 600))),
    lease_worker = null, lease_until = null, in_hand_at = null, last_error = %(error)s, updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id, status

-- name: bury_item
-- tables: post, source, measurement, ingestion, epoch
update {table}
set status = 'dead', lease_worker = null, lease_until = null, in_hand_at = null, last_error = %(error)s,
    updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id

-- name: insert_dead_letter
insert into dead_letter (item_table, item_id, step, reason)
values (%(item_table)s, %(item_id)s, %(step)s, %(reason)s)

-- name: revive_items
-- tables: post, source, measurement, ingestion, epoch
update {table}
set status = 'pending', attempts = 0, crashes = 0, due_at = %(now)s, last_error = null
where status = 'dead' and (%(step)s::text is null or step = %(step)s)
returning id

-- name: revive_items_of_project
-- tables: source, ingestion, epoch
update {table}
set status = 'pending', attempts = 0, crashes = 0, due_at = %(now)s, last_error = null
where project_id = %(project_id)s and status = 'dead' and step = %(step)s
returning id

-- name: close_dead_letters
update dead_letter set revived_at = now()
where item_table = %(item_table)s and item_id = any (%(ids)s) and revived_at is null

-- name: hurry_failed_items
-- tables: post, source, measurement, ingestion, epoch
update {table} set due_at = %(now)s
where status = 'failed' and due_at > %(now)s and (%(step)s::text is null or step = %(step)s)
returning id

-- name: hurry_failed_items_of_project
-- tables: source, ingestion, epoch
update {table} set due_at = %(now)s
where project_id = %(project_id)s and status = 'failed' and due_at > %(now)s and step = %(step)s
returning id

-- name: count_due_items
-- What claim_items would take.
-- tables: post, source, measurement, ingestion, epoch
with alive as materialized (
  select worker from living_worker
)
select count(*)::int as due from {table}
where step = %(step)s and (
  (status in ('pending', 'failed') and due_at <= %(now)s)
  or (status = 'processing' and (lease_until < now() or lease_worker not in (select worker from alive)))
)

-- name: advance_post
update post
set stage = %(stage)s, step = %(step)s, status = %(status)s, attempts = 0, crashes = 0, last_error = null,
    lease_worker = null, lease_until = null, in_hand_at = null, version = version + 1, due_at = now(),
    rejection_reason = %(rejection_reason)s
where id = %(id)s and lease_worker = %(worker)s
returning id

-- name: advance_source
update source
set step = %(step)s, status = case when %(step)s = 'ready' then 'completed' else 'pending' end,
    attempts = 0, crashes = 0, last_error = null, lease_worker = null, lease_until = null, in_hand_at = null,
    updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id

-- name: complete_measurement
update measurement
set status = 'completed', lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id
