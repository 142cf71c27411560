-- The kill switch. Who is about to send holds the switch together with others; who pauses holds it alone, and so
-- waits for claims that are being committed and is seen by all that come after.

-- name: hold_switch
select pg_advisory_xact_lock_shared(21081)

-- name: turn_switch
select pg_advisory_xact_lock(21081)

-- name: pause_in_force
select s.id, s.channel_id, s.reason, s.paused_at, p.name as paused_by
from pause s left join person p on p.id = s.paused_by
where s.resumed_at is null and (s.channel_id is null or s.channel_id = %(channel_id)s)
order by s.channel_id nulls first
limit 1

-- name: pauses_in_force
select s.id, s.channel_id, c.name as channel, s.reason, s.paused_at, p.name as paused_by
from pause s left join channel c on c.id = s.channel_id left join person p on p.id = s.paused_by
where s.resumed_at is null
order by s.channel_id nulls first

-- name: start_pause
-- No row where it is paused already.
insert into pause (channel_id, reason, paused_by) values (%(channel_id)s, %(reason)s, %(person_id)s)
on conflict (coalesce(channel_id, 0)) where resumed_at is null do nothing
returning id

-- name: end_pause
update pause set resumed_at = now(), resumed_by = %(person_id)s
where resumed_at is null and channel_id is not distinct from %(channel_id)s
returning id, reason

-- name: count_in_hand
select count(*)::int as n from publication
where state = 'sending' and (%(channel_id)s::bigint is null or channel_id = %(channel_id)s)
