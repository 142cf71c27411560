-- Facts that the marts are made of, one row per thing, read in one snapshot. Times are UTC; the publisher's and
-- the reviewer's times are the wall clock, as heard_at is, so latencies compare (a sandbox has a clock of its own).

-- name: count_posts
select count(*)::int as n from post

-- name: mart_marker
-- Another value once anything that a mart counts has changed. Ids and times are given while a transaction writes, rows are
-- seen once it commits: the newest id or time says nothing of an older one that came later. So the versions of all rows are
-- counted and summed up (xmin: the transaction that wrote the version). No index knows them, so each table is read once, as
-- a refresh reads it, at a small part of what that takes; and what is asked is of the snapshot in which the facts are read.
select md5(concat_ws('|',
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from post),
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from review),
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from publication_event),
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from engagement_snapshot),
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from reward),
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from link_visit),
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from conversion),
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from model_run),
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from spend_entry),
         (select concat(count(*), ' ', sum(xmin::text::bigint)) from notification))) as marker

-- name: mart_snapshot
-- The moment that a refresh shows, and which transactions it saw.
select now() as as_of, pg_current_snapshot()::text as snapshot

-- name: oldest_unseen_fact
-- When the oldest change was made that a snapshot did not see; null where there is none. A transaction that was under way
-- then and committed later counts from the moment of the snapshot; none lasts a day. A transaction's number is written in
-- 32 bits with a row: the other half is that of the numbers given today. Visits have no time, and are not asked for.
with latest as (
  select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as id, %(since)s::timestamptz as since,
         %(snapshot)s::pg_snapshot as snapshot
)
select min(greatest(u.at, l.since)) as at
from latest l cross join lateral (
  select updated_at as at, xmin as made_by from post where updated_at > l.since - interval '1 day'
  union all select created_at, xmin from review where created_at > l.since - interval '1 day'
  union all select created_at, xmin from publication_event where created_at > l.since - interval '1 day'
  union all select created_at, xmin from engagement_snapshot where created_at > l.since - interval '1 day'
  union all select updated_at, xmin from reward where updated_at > l.since - interval '1 day'
  union all select created_at, xmin from conversion where created_at > l.since - interval '1 day'
  union all select created_at, xmin from model_run where created_at > l.since - interval '1 day'
  union all select updated_at, xmin from spend_entry where updated_at > l.since - interval '1 day'
  union all select greatest(created_at, read_at, ended_at), xmin from notification
            where greatest(created_at, read_at, ended_at) > l.since - interval '1 day'
) u
where l.snapshot is null
   or not pg_visible_in_snapshot((l.id - (l.id - u.made_by::text::bigint) %% 4294967296)::text::xid8, l.snapshot)

-- name: facts_posts
select p.id as post_id, c.name as channel, c.is_sandbox, p.platform, p.stage, p.status, p.heard_at::date as day
from post p
join channel c on c.id = p.channel_id

-- name: facts_reviews
select r.id as review_id, c.name as channel, c.is_sandbox, d.strategy, d.prompt_version, r.decision, r.reason, r.was_edited,
       r.is_simulated, r.created_at::date as day,
       extract(epoch from r.created_at - d.created_at)::float8 as drafted_to_decided_s
from review r
join draft d on d.id = r.draft_id
join post p on p.id = r.post_id
join channel c on c.id = p.channel_id

-- name: facts_publications
-- A reply is due when it was approved, or at the time that a person chose for it; whoever changes that time chooses anew.
select b.id as publication_id, c.name as channel, c.is_sandbox, b.state, r.is_simulated, handed.at is not null as was_handed_off,
       b.created_at::date as day,
       extract(epoch from d.created_at - p.heard_at)::float8 as heard_to_drafted_s,
       extract(epoch from r.created_at - d.created_at)::float8 as drafted_to_approved_s,
       nullif(extract(epoch from due.at - b.created_at), 0)::float8 as approved_to_due_s,
       extract(epoch from sent.at - due.at)::float8 as due_to_sent_s,
       extract(epoch from sent.at - p.heard_at)::float8 as heard_to_sent_s
from publication b
join review r on r.id = b.review_id
join draft d on d.id = r.draft_id
join post p on p.id = b.post_id
join channel c on c.id = b.channel_id
left join (
  select publication_id, max(created_at) as at from publication_event where to_state = 'sent' group by publication_id
) sent on sent.publication_id = b.id and b.state = 'sent'
left join (
  select publication_id, min(created_at) as at from publication_event where to_state = 'handoff' group by publication_id
) handed on handed.publication_id = b.id
left join (
  select entity_id, max(created_at) as at from audit_event
  where entity_type = 'publication' and action = 'reschedule' group by entity_id
) chosen on chosen.entity_id = b.id
cross join lateral (select greatest(b.created_at, b.scheduled_for, chosen.at) as at) due

-- name: facts_moves
-- What did not go straight: refusals, outcomes that nobody saw and what became of them, tries again, what was given up.
select e.publication_id, c.name as channel, c.is_sandbox, r.is_simulated, e.from_state, e.to_state, e.reason_code,
       e.created_at::date as day
from publication_event e
join publication b on b.id = e.publication_id
join review r on r.id = b.review_id
join channel c on c.id = b.channel_id
where e.to_state = any(array['refused', 'unknown', 'cancelled', 'abandoned', 'handoff'])
   or e.from_state = 'unknown' or (e.from_state = 'sending' and e.to_state = 'queued')

-- name: facts_snapshots
select s.publication_id, c.name as channel, c.is_sandbox, d.strategy, d.prompt_version, r.is_simulated, s.window_s, s.impressions,
       s.likes, s.replies, s.reposts, s.is_deleted, s.is_late, w.reward, b.created_at::date as day
from engagement_snapshot s
join publication b on b.id = s.publication_id
join review r on r.id = b.review_id
join draft d on d.id = r.draft_id
join channel c on c.id = b.channel_id
left join reward w on w.publication_id = s.publication_id and w.window_s = s.window_s

-- name: facts_links
-- Replies that stand with a link in their words and what the link cost more than none (what a person posted by hand costs
-- nothing; where the decision did not keep the prices, those of the channel); then visits and conversions of links of our
-- own, with the latest reply whose words have the link.
select w.day, c.name as channel, c.is_sandbox, d.strategy, d.prompt_version, r.is_simulated, 1::bigint as replies,
       w.is_tracked::int::bigint as tracked,
       (w.n_charged * greatest(0, coalesce(n.price_with_link_usd, (c.policy ->> 'price_with_link_usd')::numeric)
          - coalesce(n.price_usd, (c.policy ->> 'price_per_create_usd')::numeric)))::float8 as link_cost_usd,
       false as is_bot, 0::bigint as visits, 0::bigint as conversions, 0::float8 as value_usd
from (
  select p.id, sent.day, bool_or(l.id is not null) as is_tracked,
         count(distinct a.position) filter (where not sent.was_handed_off or a.sending_at is not null) as n_charged
  from publication p
  join (
    select publication_id, max(created_at) filter (where to_state = 'sent')::date as day,
           bool_or(to_state = 'handoff') as was_handed_off
    from publication_event where to_state = any(array['sent', 'handoff']) group by publication_id
  ) sent on sent.publication_id = p.id
  join publication_part a on a.publication_id = p.id and a.text ~* 'https?://'
  left join tracked_link l on l.post_id = p.post_id and strpos(a.text, l.address) > 0
  where p.state = 'sent'
  group by p.id, sent.day, sent.was_handed_off
) w
join publication b on b.id = w.id
join channel c on c.id = b.channel_id
join review r on r.id = b.review_id
join draft d on d.id = r.draft_id
left join decision n on n.id = d.decision_id
union all
select seen.day, c.name, c.is_sandbox, b.strategy, b.prompt_version, b.is_simulated, 0, 0, 0, seen.is_bot, seen.visits,
       seen.conversions, seen.value_usd
from (
  select link_id, day, is_bot, visits, 0::bigint as conversions, 0::float8 as value_usd from link_visit
  union all
  select link_id, occurred_at::date, false, 0, 1, value_usd::float8 from conversion
) seen
join tracked_link l on l.id = seen.link_id
join post o on o.id = l.post_id
join channel c on c.id = o.channel_id
left join lateral (
  select d.strategy, d.prompt_version, r.is_simulated
  from publication p
  join review r on r.id = p.review_id
  join draft d on d.id = r.draft_id
  where p.post_id = l.post_id
    and exists (select from publication_part a where a.publication_id = p.id and strpos(a.text, l.address) > 0)
  order by p.id desc limit 1
) b on true

-- name: facts_model_runs
select m.created_at::date as day, m.run_type, m.model, m.is_ok, m.n_items, m.tokens_in, m.tokens_out,
       m.cost_usd::float8 as cost_usd, m.task, m.endpoint, m.arm, m.is_cached, m.latency_ms
from model_run m

-- name: facts_platform_spend
select e.day, c.name as channel, c.is_sandbox, e.action, e.n_resources, e.n_charged, e.spent_usd::float8 as spent_usd
from spend_entry e
join channel c on c.id = e.channel_id

-- name: facts_notices
select n.id as notice_id, n.kind, n.created_at::date as day, n.read_at is not null as was_read,
       extract(epoch from n.read_at - n.created_at)::float8 as read_after_s, n.ended_at is not null as is_over
from notification n
