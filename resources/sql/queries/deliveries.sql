-- Notices that leave the app: what is to be told, the outbox of messages, who sends which.

-- name: overdue_outcomes
-- Replies whose outcome nobody has seen for long, also where no publisher runs to find out; told of once.
select p.id, p.state, t.at
from publication p
cross join lateral (
  select max(e.created_at) as at from publication_event e where e.publication_id = p.id and e.to_state = 'sending'
) t
where (p.state = 'unknown' or (p.state = 'sending' and p.lease_until < %(now)s))
  and t.at <= %(before)s
  and not exists (
    select from notification n
    where n.kind = any(array['unknown_outcome', 'unknown_absent']) and n.entity_type = 'publication'
      and n.entity_id = p.id and n.ended_at is null
  )
order by p.id

-- name: notices_over
-- Notices whose state is over: what lasts is looked at, anything else is over once somebody has read it.
select n.id
from notification n
left join publication p on n.entity_type = 'publication' and p.id = n.entity_id
where n.ended_at is null and case
  when n.kind = 'unknown_outcome' then p.state not in ('unknown', 'sending')
  when n.kind = 'unknown_absent' then p.state <> 'unknown'
  when n.kind = 'keeps_failing' then p.state not in ('queued', 'sending')
  when n.kind = 'handed_over' then p.state <> 'handoff'
  when n.kind = 'spend_cap' then not exists (
    select from channel_state s
    where s.channel_id = n.entity_id and s.part = 'spend' and s.state = 'stopped'
  )
  when n.kind = 'auth_expired' then exists (
    select from publication b join publication_event e on e.publication_id = b.id
    where b.channel_id = n.entity_id and e.from_state = 'sending' and e.to_state = 'sent' and e.created_at > n.created_at
  ) or exists (
    select from audit_event a
    where a.entity_type = 'channel' and a.entity_id = n.entity_id and a.created_at > n.created_at
      and (a.action = 'add_channel' or a.action like '%%credential%%')
  )
  when n.kind = 'paused' then not exists (
    select from pause s
    where s.resumed_at is null and case n.entity_type
      when 'pause' then s.id = n.entity_id
      when 'channel' then s.channel_id = n.entity_id
      else s.channel_id is null
    end
  )
  else n.read_at is not null
end

-- name: end_notices
update notification set ended_at = greatest(created_at, %(now)s) where id = any(%(ids)s::bigint[]) and ended_at is null

-- name: see_notification_sink
-- It is in the configuration now; one that comes back is told of nothing that happened meanwhile.
insert into notification_sink as s (name, known_since, seen_at) values (%(sink)s, %(now)s, %(now)s)
on conflict (name) do update
set seen_at = greatest(s.seen_at, %(now)s), removed_at = null,
    known_since = case when s.removed_at is null then s.known_since else %(now)s end,
    failures = case when s.removed_at is null then s.failures else 0 end,
    rests_until = case when s.removed_at is null then s.rests_until end
where s.removed_at is not null or s.seen_at < %(now)s::timestamptz - interval '5 minutes'

-- name: count_removals
-- Sinks that nobody has had in the configuration for long, and messages that wait for those.
select (
  select count(*) from notification_sink s
  where s.removed_at is null and s.name <> all(%(sinks)s::text[]) and s.seen_at < %(before)s
)::int + (
  select count(*) from notification_delivery d join notification_sink s on s.name = d.sink
  where s.removed_at is not null and s.name <> all(%(sinks)s::text[]) and d.state = any(array['pending', 'dead'])
    and (d.lease_until is null or d.lease_until <= %(now)s)
)::int as n

-- name: mark_removed_sinks
update notification_sink set removed_at = %(now)s
where removed_at is null and name <> all(%(sinks)s::text[]) and seen_at < %(before)s

-- name: drop_deliveries
-- What waits for a sink that is gone.
update notification_delivery d
set state = 'dropped', lease_until = null, last_error = left(concat_ws('; before that: ', %(reason)s::text, d.last_error), 300)
from notification_sink s
where s.name = d.sink and s.removed_at is not null and s.name <> all(%(sinks)s::text[])
  and d.state = any(array['pending', 'dead']) and (d.lease_until is null or d.lease_until <= %(now)s)
returning d.id

-- name: drop_outlived
-- Reminders of what is over, and where only what lasts is told, beginnings of it that nobody can have received.
update notification_delivery d set state = 'dropped', lease_until = null, last_error = %(reason)s
where d.sink = %(sink)s and d.state = 'pending' and (d.lease_until is null or d.lease_until <= %(now)s)
  and (d.event = 'reminded' or (d.event = 'began' and d.attempts = 0 and %(only_lasting)s))
  and not exists (
    select from notification_told t join notification n on n.id = t.notification_id
    where t.delivery_id = d.id and n.ended_at is null
  )
returning d.id

-- name: forget_deliveries
-- What arrived or was dropped long ago, so many at a time. Ends that old are not told any more, so it only has to stay known
-- that a sink was told of what it is still reminded of.
with old as materialized (
  select d.id from notification_delivery d
  where d.state = any(array['sent', 'dropped']) and d.created_at < %(before)s
    and (d.event = 'reminded' or not exists (
      select from notification_told t join notification n on n.id = t.notification_id
      where t.delivery_id = d.id and n.kind = any(%(reminded)s::text[]) and n.ended_at is null and n.read_at is null))
  order by d.created_at
  limit %(top)s
), untold as (
  delete from notification_told t using old where t.delivery_id = old.id
)
delete from notification_delivery d using old where d.id = old.id
returning d.id

-- name: lock_notification_sink
-- Whoever holds the row puts the sink's messages together.
select s.name, s.known_since, s.gathered_at,
       (select count(*) from notification_delivery d where d.sink = s.name and d.state = 'pending')::int as pending
from notification_sink s where s.name = %(sink)s for update skip locked

-- name: notices_to_tell
-- What a sink has not been told of, the oldest first; kinds that nobody knows count as others.
select n.id
from notification n join notification_sink s on s.name = %(sink)s
where n.created_at >= s.known_since and n.created_at >= %(since)s
  and (n.kind = any(%(taken)s::text[]) or (%(others)s and n.kind <> all(%(known)s::text[])))
  and (n.ended_at is null or not %(only_lasting)s)
  and not exists (
    select from notification_told t where t.sink = s.name and t.notification_id = n.id and t.event = 'began'
  )
order by n.id
limit %(top)s

-- name: ends_to_tell
-- What a sink was told of and is over; only these kinds where they are given.
select n.id
from notification_told t
join notification_delivery d on d.id = t.delivery_id and d.state = 'sent'
join notification n on n.id = t.notification_id
where t.sink = %(sink)s and t.event = 'began' and n.ended_at is not null and n.created_at >= %(since)s
  and (%(only)s::text[] is null or n.kind = any(%(only)s))
  and not exists (
    select from notification_told u where u.sink = t.sink and u.notification_id = n.id and u.event = 'ended'
  )
  -- A reminder that came after it would open it again.
  and not exists (
    select from notification_told u join notification_delivery e on e.id = u.delivery_id
    where u.sink = t.sink and u.notification_id = n.id and u.event = 'reminded' and e.state = 'pending'
  )
order by n.id
limit %(top)s

-- name: reminders_to_tell
-- What a sink was told of, that lasts, that nobody has read, and of which the sink has heard nothing since a time.
select n.id
from notification n
where n.kind = any(%(kinds)s::text[]) and n.ended_at is null and n.read_at is null
  and exists (
    select from notification_told t join notification_delivery d on d.id = t.delivery_id
    where t.sink = %(sink)s and t.notification_id = n.id and t.event = 'began' and d.state = 'sent'
  )
  and not exists (
    select from notification_told t join notification_delivery d on d.id = t.delivery_id
    where t.sink = %(sink)s and t.notification_id = n.id
      and (d.state = 'pending' or coalesce(d.sent_at, d.created_at) > %(before)s)
  )
order by n.id
limit %(top)s

-- name: insert_delivery
with made as (
  insert into notification_delivery (sink, event, due_at, created_at) values (%(sink)s, %(event)s, %(now)s, %(now)s)
  returning id
), told as (
  insert into notification_told (sink, notification_id, event, delivery_id)
  select %(sink)s, n, %(event)s, made.id from made, unnest(%(ids)s::bigint[]) n
)
select id from made

-- name: set_gathered
update notification_sink set gathered_at = %(now)s where name = %(sink)s

-- name: claim_delivery
-- The next message of a sink that is due and that nobody is sending; each attempt counts before it is made.
update notification_delivery set attempts = attempts + 1, lease_until = %(until_at)s
where id = (
  select d.id
  from notification_delivery d join notification_sink s on s.name = d.sink
  where d.sink = %(sink)s and d.state = 'pending' and d.due_at <= %(now)s
    and (d.lease_until is null or d.lease_until <= %(now)s)
    and (s.rests_until is null or s.rests_until <= %(now)s)
    and d.attempts < %(max_attempts)s
  order by d.id
  limit 1
  for update of d skip locked
)
returning id, event, attempts

-- name: count_due_deliveries
select count(*)::int as n
from notification_delivery d join notification_sink s on s.name = d.sink
where d.sink = any(%(sinks)s::text[]) and d.state = 'pending' and d.due_at <= %(now)s
  and (d.lease_until is null or d.lease_until <= %(now)s)
  and (s.rests_until is null or s.rests_until <= %(now)s)

-- name: notices_of_delivery
select n.id, n.kind, n.message, n.entity_type, n.entity_id, n.created_at, n.ended_at
from notification_told t join notification n on n.id = t.notification_id
where t.delivery_id = %(id)s
order by n.id

-- name: settle_delivery
-- Only by who made this attempt: after its lease another may have made the next.
update notification_delivery
set state = %(state)s, due_at = coalesce(%(due_at)s, due_at), lease_until = null, last_error = %(last_error)s,
    sent_at = case when %(state)s = 'sent' then %(now)s end
where id = %(id)s and state = 'pending' and attempts = %(attempts)s
returning id

-- name: rest_sink
update notification_sink set failures = failures + 1, rests_until = %(until_at)s where name = %(sink)s

-- name: wake_sink
update notification_sink set failures = 0, rests_until = null where name = %(sink)s and (failures > 0 or rests_until is not null)

-- name: sink_failures
select failures from notification_sink where name = %(sink)s

-- name: bury_deliveries
-- Those whose last attempt never came to an end.
update notification_delivery set state = 'dead', lease_until = null,
       last_error = coalesce(last_error, 'the process that sent it died each time')
where state = 'pending' and attempts >= %(max_attempts)s and lease_until <= %(now)s
returning id

-- name: revive_deliveries
update notification_delivery set state = 'pending', attempts = 0, due_at = %(now)s, lease_until = null
where state = 'dead' and (%(sink)s::text is null or sink = %(sink)s)
returning id

-- name: wake_sinks
update notification_sink set failures = 0, rests_until = null where %(sink)s::text is null or name = %(sink)s

-- name: list_dead_deliveries
select d.id, d.sink, d.event, d.attempts, d.last_error, d.created_at,
       (select count(*) from notification_told t where t.delivery_id = d.id)::int as notices
from notification_delivery d
where d.state = 'dead'
order by d.id desc
limit %(top)s

-- name: sink_states
select s.name, s.known_since, s.failures, s.rests_until, s.removed_at,
       count(d.id) filter (where d.state = 'pending')::int as pending,
       count(d.id) filter (where d.state = 'sent')::int as sent,
       count(d.id) filter (where d.state = 'dead')::int as dead,
       count(d.id) filter (where d.state = 'dropped')::int as dropped,
       max(d.sent_at) as last_sent_at,
       (select e.last_error from notification_delivery e
        where e.sink = s.name and e.last_error is not null and e.state <> 'sent' order by e.id desc limit 1) as last_error
from notification_sink s left join notification_delivery d on d.sink = s.name
group by s.name
order by s.name
