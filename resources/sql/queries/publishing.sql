-- name: lapse_sending
-- The holder is gone or out of time; it may have sent, so the outcome is unknown and never queued again.
with alive as materialized (
  select worker from living_worker
)
update publication
set state = 'unknown', lease_worker = null, lease_until = null, due_at = %(now)s,
    reason_code = 'outcome_unknown', detail = 'the publisher stopped before it saw the answer'
where state = 'sending' and (lease_until < now() or lease_worker not in (select worker from alive))
returning id

-- name: withdraw_unanswerable
-- Also what went while a reply to it was on its way: nothing was written down of that then. All that waits is looked at
-- in each pass, so the view is read here and is_left_alone, a call for each, is not.
update post o set status = 'withdrawn', version = o.version + 1
from publication p
where p.post_id = o.id and p.state in ('queued', 'handoff') and o.stage = 'post_queue'
  and o.status in ('pending', 'rate_limited')
  and (o.gone_at is not null or not exists (select from willing_post w where w.id = o.id))
returning o.id

-- name: cancel_withdrawn
update publication p
set state = case p.state when 'queued' then 'cancelled' else 'abandoned' end, reason_code = 'withdrawn',
    detail = 'the post was deleted, or its author asked not to be answered'
from post o
where o.id = p.post_id and p.state in ('queued', 'handoff') and o.status = 'withdrawn'
returning p.id

-- name: cancel_publication
update publication set state = 'cancelled', reason_code = %(reason_code)s, detail = %(detail)s
where id = %(id)s and state = 'queued'

-- name: hand_over_publication
update publication set state = 'handoff', reason_code = 'by_hand', detail = %(detail)s
where id = %(id)s and state = 'queued'

-- name: close_begun_thread
-- What is left of a thread that was cancelled cannot be approved anew.
update post set status = 'rejected', rejection_reason = %(reason)s, version = version + 1
where id = %(id)s and stage = 'post_queue' and status in ('pending', 'rate_limited')

-- name: return_to_review
update post
set stage = 'review', step = 'review', status = 'pending', version = version + 1
where id = %(id)s and stage = 'post_queue' and status in ('pending', 'rate_limited')

-- name: next_stale_parent
-- The post that the next due publication answers, where it was last seen too long ago.
select o.id, o.platform_post_id, o.text, next.publication_id from (
  select p.id as publication_id, p.post_id from publication p join post o on o.id = p.post_id
  where p.state = 'queued' and p.channel_id = %(channel_id)s and p.due_at <= %(now)s
    and o.stage = 'post_queue' and o.status in ('pending', 'rate_limited') and o.gone_at is null
  order by (p.parts_sent > 0) desc, p.due_at, p.id limit 1
) next join post o on o.id = next.post_id
where o.checked_at < %(seen_since)s

-- name: next_queued_publication
-- Not of a channel that was switched off meanwhile, nor one whose post is gone, nor, where its platform can be asked, one that was not looked at lately.
select p.id as publication_id, p.post_id, case when p.first_sending_at is null then p.scheduled_for end as missed_since,
       p.parts_sent > 0 as is_begun,
       (select count(*)::int from publication_part a where a.publication_id = p.id) as parts,
       o.platform, o.platform_post_id, o.author, o.author_followers, o.community, o.text, o.url, o.conversation_id, o.parent_id,
       o.mentions, o.quoted_author, o.lang, o.metrics, o.created_at
from publication p join post o on o.id = p.post_id
where p.state = 'queued' and p.channel_id = %(channel_id)s and p.due_at <= %(now)s
  and o.stage = 'post_queue' and o.status in ('pending', 'rate_limited') and o.gone_at is null
  and (%(seen_since)s::timestamptz is null or o.checked_at >= %(seen_since)s)
  and (select c.is_enabled from channel c where c.id = %(channel_id)s)
order by (p.parts_sent > 0) desc, p.due_at, p.id
limit 1
for update of p, o skip locked

-- name: claim_publication
-- Publication to sending and post to processing at once; the caller holds both rows locked.
with taken as (
  update post o set status = 'processing', version = o.version + 1
  from publication p
  where p.id = %(id)s and o.id = p.post_id
  returning o.id
)
update publication p
set state = 'sending', attempts = p.attempts + 1, lease_worker = %(worker)s,
    lease_until = now() + make_interval(secs => %(lease_s)s), first_sending_at = coalesce(p.first_sending_at, now())
from taken
where p.id = %(id)s and p.state = 'queued' and taken.id = p.post_id
returning p.id

-- name: load_publications
select p.id as publication_id, p.post_id, p.channel_id, p.parts, p.first_sending_at, e.attempted_at,
       o.platform, o.platform_post_id, o.author, o.author_followers, o.community, o.text, o.url, o.conversation_id, o.parent_id,
       o.mentions, o.quoted_author, o.lang, o.metrics, o.created_at, o.is_summoned
from (
  select p.id, p.post_id, p.channel_id, p.first_sending_at, jsonb_agg(to_jsonb(a) order by a.position) as parts
  from publication p join publication_part a on a.publication_id = p.id
  where p.id = any (%(ids)s)
  group by p.id
) p
join post o on o.id = p.post_id
cross join lateral (
  select max(v.created_at) filter (where v.to_state = 'sending') as attempted_at
  from publication_event v where v.publication_id = p.id
) e

-- name: hold_attempt
-- Only the holder of the lease settles what it sent. Posts are locked before their publications, everywhere.
with held as materialized (select id from post where id = %(post_id)s for update)
select p.id from publication p join held on held.id = p.post_id
where p.id = %(id)s and p.state = 'sending' and p.lease_worker = %(worker)s
for update of p

-- name: hold_unknown
select id from publication where id = %(id)s and state = 'unknown' for update

-- name: settle_publication
-- The reply is known by its first part.
update publication p
set state = %(state)s, due_at = coalesce(%(due_at)s, p.due_at), reason_code = %(reason_code)s, detail = %(detail)s,
    platform_id = coalesce(p.platform_id, first.platform_id),
    platform_url = coalesce(p.platform_url, first.platform_url),
    sent_at = case when %(state)s = 'sent' then coalesce(first.sent_at, now()) end, read_back_at = coalesce(%(read_back_at)s, p.read_back_at),
    lease_worker = null, lease_until = null
from publication_part first
where p.id = %(id)s and first.publication_id = p.id and first.position = 0

-- name: begin_next_part
-- The first part that does not stand. Committed before its request leaves.
update publication_part set state = 'sending'
where publication_id = %(id)s and state = 'queued'
  and position = (select min(b.position) from publication_part b where b.publication_id = %(id)s and b.state <> 'sent')
returning position

-- name: go_on_with_thread
-- The lease begins anew with each part; nothing follows under a post that is gone or whose author asked us to stop.
update publication p set lease_until = now() + make_interval(secs => %(lease_s)s)
from post o
where p.id = %(id)s and p.state = 'sending' and p.lease_worker = %(worker)s and o.id = p.post_id and o.gone_at is null
  and not is_left_alone(o)
returning p.id

-- name: settle_part
-- What never left has no outcome to wait for.
update publication_part
set state = %(state)s, platform_id = coalesce(platform_id, %(platform_id)s),
    platform_url = coalesce(platform_url, %(platform_url)s), sent_at = coalesce(sent_at, %(sent_at)s),
    platform_sent_at = coalesce(platform_sent_at, %(platform_sent_at)s),
    reason_code = %(reason_code)s, detail = %(detail)s
where publication_id = %(id)s and position = %(position)s and not (state = 'queued' and %(state)s = 'unknown')
returning state, platform_id, platform_sent_at

-- name: lapse_parts
update publication_part set state = 'unknown' where publication_id = %(id)s and state = 'sending'

-- name: move_sending_post
update post
set stage = %(stage)s, step = %(step)s, status = %(status)s, due_at = coalesce(%(due_at)s, due_at),
    last_error = %(last_error)s, version = version + 1
where id = %(id)s and stage = 'post_queue' and status = 'processing'
returning id

-- name: schedule_measurement
insert into measurement (publication_id, window_s, step, due_at)
values (%(publication_id)s, %(window_s)s, %(step)s, %(due_at)s)
on conflict (publication_id, window_s) do nothing

-- name: notify_about
-- Once per kind and thing since the given time, and again once it was over; what is about no thing equals nothing.
insert into notification (kind, message, entity_type, entity_id)
select %(kind)s, %(message)s, %(entity_type)s, %(entity_id)s
where not exists (
  select from notification n
  where n.kind = %(kind)s and n.entity_type = %(entity_type)s and n.entity_id = %(entity_id)s
    and n.created_at >= %(since)s and n.ended_at is null
)

-- name: claim_unknown
-- The next read-back is put off first, so that two publishers do not search for the same reply.
update publication set due_at = %(again_at)s
where id = (
  select p.id
  from publication p
  where p.state = 'unknown' and p.channel_id = %(channel_id)s and p.due_at <= %(now)s
    and p.reason_code is distinct from 'read_back_absent'
  order by p.due_at, p.id
  limit 1
  for update skip locked
)
returning id

-- name: stood_before_doubt
-- When the channel's last reply was taken of those that were settled as sent before the first attempt whose outcome was
-- not seen, by its platform's clock. Told by the order of what was written down, not by clocks.
select first.platform_sent_at
from publication_event v
join publication p on p.id = v.publication_id
join publication_part first on first.publication_id = p.id and first.position = 0
where v.to_state = 'sent' and p.channel_id = %(channel_id)s and first.platform_sent_at is not null
  and v.id < (
    select max(s.id) from publication_event s
    where s.publication_id = %(id)s and s.to_state = 'sending' and s.id < (
      select min(u.id) from publication_event u where u.publication_id = %(id)s and u.to_state = 'unknown'))
order by v.id desc
limit 1

-- name: defer_publications
update publication set due_at = %(until)s, reason_code = %(reason_code)s, detail = %(detail)s
where id = any (%(ids)s) and state = 'queued'
