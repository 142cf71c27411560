-- Facts that the marts are made of, one row per thing, read in one snapshot. Times are UTC; the publisher's and
-- the reviewer's times are the wall clock, as heard_at is, so latencies compare (a sandbox has a clock of its own).

-- name: count_posts
select count(*)::int as n from post

-- name: mart_marker
-- Another value once anything that a mart counts has changed; cheap enough to ask every half minute.
select md5(concat_ws('|',
         (select max(updated_at) from post), (select max(id) from post),
         (select max(id) from review),
         (select max(id) from publication_event),
         (select max(id) from engagement_snapshot),
         (select max(updated_at) from reward), (select count(*) from reward),
         (select sum(visits) from link_visit), (select max(id) from conversion),
         (select max(id) from model_run),
         (select max(updated_at) from spend_entry),
         (select max(id) from notification), (select max(read_at) from notification),
         (select max(ended_at) from notification))) as marker

-- name: oldest_unseen_fact
-- When the oldest change after a moment was made; null where there is none.
select min(at) as at from (
  select min(updated_at) as at from post where updated_at > %(since)s
  union all select min(created_at) from review where created_at > %(since)s
  union all select min(created_at) from publication_event where created_at > %(since)s
  union all select min(created_at) from engagement_snapshot where created_at > %(since)s
  union all select min(updated_at) from reward where updated_at > %(since)s
  union all select min(created_at) from conversion where created_at > %(since)s
  union all select min(created_at) from model_run where created_at > %(since)s
  union all select min(updated_at) from spend_entry where updated_at > %(since)s
  union all select min(created_at) from notification where created_at > %(since)s
) unseen

-- name: facts_posts
select p.id as post_id, c.name as channel, p.platform, p.stage, p.status, p.heard_at::date as day
from post p
join channel c on c.id = p.channel_id

-- name: facts_reviews
select r.id as review_id, c.name as channel, d.strategy, d.prompt_version, r.decision, r.reason, r.was_edited,
       r.is_simulated, r.created_at::date as day,
       extract(epoch from r.created_at - d.created_at)::float8 as drafted_to_decided_s
from review r
join draft d on d.id = r.draft_id
join post p on p.id = r.post_id
join channel c on c.id = p.channel_id

-- name: facts_publications
select b.id as publication_id, c.name as channel, c.is_sandbox, b.state, r.is_simulated, handed.at is not null as was_handed_off,
       b.created_at::date as day,
       extract(epoch from d.created_at - p.heard_at)::float8 as heard_to_drafted_s,
       extract(epoch from r.created_at - d.created_at)::float8 as drafted_to_approved_s,
       extract(epoch from sent.at - b.created_at)::float8 as approved_to_sent_s,
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

-- name: facts_moves
-- What did not go straight: refusals, outcomes that nobody saw and what became of them, tries again, what was given up.
select e.publication_id, c.name as channel, e.from_state, e.to_state, e.reason_code, e.created_at::date as day
from publication_event e
join publication b on b.id = e.publication_id
join channel c on c.id = b.channel_id
where e.to_state = any(array['refused', 'unknown', 'cancelled', 'abandoned', 'handoff'])
   or e.from_state = 'unknown' or (e.from_state = 'sending' and e.to_state = 'queued')

-- name: facts_snapshots
select s.publication_id, c.name as channel, d.strategy, d.prompt_version, r.is_simulated, s.window_s, s.impressions,
       s.likes, s.replies, s.reposts, s.is_deleted, s.is_late, w.reward, b.created_at::date as day
from engagement_snapshot s
join publication b on b.id = s.publication_id
join review r on r.id = b.review_id
join draft d on d.id = r.draft_id
join channel c on c.id = b.channel_id
left join reward w on w.publication_id = s.publication_id and w.window_s = s.window_s

-- name: facts_links
-- Visits and conversions of links of our own, with the latest reply whose words have the link.
select seen.day, c.name as channel, b.strategy, b.prompt_version, b.is_simulated, seen.is_bot, seen.visits, seen.conversions,
       seen.value_usd
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
select e.day, c.name as channel, e.action, e.n_resources, e.n_charged, e.spent_usd::float8 as spent_usd
from spend_entry e
join channel c on c.id = e.channel_id

-- name: facts_notices
select n.id as notice_id, n.kind, n.created_at::date as day, n.read_at is not null as was_read,
       extract(epoch from n.read_at - n.created_at)::float8 as read_after_s, n.ended_at is not null as is_over
from notification n
