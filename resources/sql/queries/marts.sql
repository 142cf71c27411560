-- Facts that the marts are made of, one row per thing, read in one snapshot. Days are UTC; the publisher's and
-- the reviewer's times are the wall clock, as heard_at is, so latencies compare (a sandbox has a clock of its own).

-- name: count_posts
select count(*)::int as n from post

-- name: facts_posts
select p.id as post_id, c.name as channel, p.platform, p.stage, p.status, p.heard_at::date as day
from post p
join channel c on c.id = p.channel_id

-- name: facts_reviews
select r.id as review_id, c.name as channel, d.strategy, d.prompt_version, r.decision, r.reason, r.was_edited,
       r.is_simulated, r.created_at::date as day
from review r
join draft d on d.id = r.draft_id
join post p on p.id = r.post_id
join channel c on c.id = p.channel_id

-- name: facts_publications
select b.id as publication_id, c.name as channel, c.is_sandbox, b.state, r.is_simulated, handed.at is not null as was_handed_off,
       b.created_at::date as day,
       extract(epoch from sent.at - p.heard_at)::float8 as heard_to_sent_s,
       extract(epoch from sent.at - b.created_at)::float8 as approved_to_sent_s,
       case
         when sent.at is null or handed.at is not null then 0
         when exists (select from publication_part t where t.publication_id = b.id and t.text ~* 'https?://')
           then coalesce((c.policy ->> 'price_with_link_usd')::float8, 0)
         when p.is_summoned and c.policy ? 'price_summoned_usd' then (c.policy ->> 'price_summoned_usd')::float8
         else coalesce((c.policy ->> 'price_per_create_usd')::float8, 0)
       end as price_usd
from publication b
join review r on r.id = b.review_id
join post p on p.id = b.post_id
join channel c on c.id = b.channel_id
left join lateral (
  select max(e.created_at) as at from publication_event e
  where e.publication_id = b.id and e.to_state = 'sent' and b.state = 'sent'
) sent on true
left join lateral (
  select min(e.created_at) as at from publication_event e
  where e.publication_id = b.id and e.to_state = 'handoff'
) handed on true

-- name: facts_snapshots
select s.publication_id, c.name as channel, d.strategy, s.window_s, s.impressions, s.likes, s.replies, s.reposts,
       s.is_deleted, s.is_late, w.reward
from engagement_snapshot s
join publication b on b.id = s.publication_id
join review r on r.id = b.review_id
join draft d on d.id = r.draft_id
join channel c on c.id = b.channel_id
left join reward w on w.publication_id = s.publication_id and w.window_s = s.window_s

-- name: facts_model_runs
select m.created_at::date as day, m.run_type, m.model, m.is_ok, m.n_items, m.tokens_in, m.tokens_out,
       m.cost_usd::float8 as cost_usd, m.task, m.endpoint, m.arm, m.is_cached, m.latency_ms
from model_run m

-- name: facts_platform_spend
select e.day, c.name as channel, e.action, e.n_resources, e.n_charged, e.spent_usd::float8 as spent_usd
from spend_entry e
join channel c on c.id = e.channel_id
