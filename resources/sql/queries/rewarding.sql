-- What replies were worth.

-- name: latest_snapshots
-- The oldest age that was measured of each reply, with what its reward is made of.
select distinct on (s.publication_id)
  s.publication_id, s.window_s, s.impressions, s.likes, s.replies, s.reposts, s.is_deleted, s.is_late,
  p.channel_id, c.platform, o.author_followers, o.is_summoned, d.decision_id, p.first_sending_at is not null as is_by_api,
  t.text
from engagement_snapshot s
join publication p on p.id = s.publication_id
join channel c on c.id = p.channel_id
join post o on o.id = p.post_id
join review r on r.id = p.review_id
join draft d on d.id = r.draft_id
join publication_part t on t.publication_id = p.id and t.position = 0
order by s.publication_id, s.window_s desc

-- name: model_cost_share
-- What all model calls cost, over the replies that went out.
select coalesce(sum(cost_usd), 0)::float8
       / greatest((select count(*) from publication where state = 'sent'), 1) as cost_usd
from model_run

-- name: save_reward
insert into reward (publication_id, decision_id, window_s, engagement_rate, reward, components)
values (%(publication_id)s, %(decision_id)s, %(window_s)s, %(engagement_rate)s, %(reward)s, %(components)s)
on conflict (publication_id) do update
set decision_id = excluded.decision_id, window_s = excluded.window_s, engagement_rate = excluded.engagement_rate,
    reward = excluded.reward, components = excluded.components, updated_at = now()
