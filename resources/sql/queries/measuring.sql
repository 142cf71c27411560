-- name: load_measurements
select m.id, m.publication_id, m.window_s, m.planned_at, coalesce(t.ids, array[p.platform_id]) as platform_ids,
       p.unsaid_since
from measurement m
join publication p on p.id = m.publication_id
left join lateral (
  select array_agg(a.platform_id order by a.position) as ids
  from publication_part a where a.publication_id = p.id and a.platform_id is not null
) t on true
where m.id = any (%(ids)s)

-- name: has_open_measurements
select exists (
  select from measurement where step = %(step)s and status in ('pending', 'failed', 'processing')
) as is_open

-- name: sent_without_measurements
-- Replies that a person posted or settled: nobody has planned their snapshots yet.
select p.id, p.sent_at
from publication p
where p.channel_id = %(channel_id)s and p.state = 'sent' and p.platform_id is not null
  and not exists (select from measurement m where m.publication_id = p.id)

-- name: postpone_measurement
-- There was no budget for its call: it waits, and loses no attempt.
update measurement
set status = 'pending', due_at = %(until_at)s, lease_worker = null, lease_until = null, in_hand_at = null,
    last_error = %(reason)s, updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id

-- name: save_snapshot
-- What other accounts of ours answered is nobody's answer; the reply's own parts are taken off already.
insert into engagement_snapshot
  (publication_id, window_s, impressions, likes, replies, reposts, link_clicks, profile_clicks, is_deleted, n_parts,
   n_parts_gone, removal_reason, is_late, taken_at)
values
  (%(publication_id)s, %(window_s)s, %(impressions)s, %(likes)s,
   greatest(%(replies)s::integer - (
     select count(*) from publication p join post o on o.platform = p.platform
     where p.id = %(publication_id)s and o.parent_id = any (%(platform_ids)s) and o.platform_post_id <> all (%(platform_ids)s)
       and o.gone_at is null and o.purged_at is null
       and exists (select from own_accounts(p.channel_id) as account where account = lower(o.author)))::integer, 0),
   %(reposts)s, %(link_clicks)s,
   %(profile_clicks)s, %(is_deleted)s, %(n_parts)s, %(n_parts_gone)s, %(removal_reason)s, %(is_late)s, %(taken_at)s)
on conflict (publication_id, window_s) do nothing

-- name: note_reply_standing
-- What is gone is gone since it was first seen so; what is back stands.
update publication set removed_at = case when %(is_gone)s then %(now)s::timestamptz end
where id = %(id)s and state = 'sent' and (removed_at is not null) is distinct from %(is_gone)s
returning id

-- name: note_looked_at
-- In the order of their ids, so that two that looked at the same replies never wait for each other. An answer that says
-- nothing of a reply begins a stretch of such answers, or goes on with it; any other ends it.
with looked as (
  select id from publication where id = any (%(ids)s) order by id for no key update
)
update publication p
set looked_at = %(now)s,
    unsaid_since = case when p.id = any (%(unsaid_ids)s) then coalesce(p.unsaid_since, %(asked_at)s) end
from looked where p.id = looked.id

-- name: note_passed_over
-- Asked about in a call that the platform did not take: others have their turn first.
update publication set looked_at = %(now)s where id = any (%(ids)s)

-- name: replies_to_look_along
-- Replies of a channel that a call under way may ask about at no cost, those not looked at longest first: where own
-- reads are free any of the last weeks, else those that were charged today already.
select p.id as publication_id, p.platform_id, p.unsaid_since
from publication p
where p.channel_id = %(channel_id)s and p.state = 'sent' and p.platform_id is not null
  and p.sent_at > %(sent_after_at)s and p.id <> all (%(except_ids)s)
  and (p.looked_at is null or p.looked_at < %(looked_before_at)s)
  and (%(is_free)s or exists (
    select from spend_resource s
    where s.channel_id = p.channel_id and s.day = %(day)s and s.action = 'own_read' and s.resource_id = p.platform_id))
order by p.looked_at nulls first, p.id
limit %(most)s
