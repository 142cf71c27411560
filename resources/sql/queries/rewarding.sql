-- What replies were worth: only those of which something new is known, all facts of a batch in one statement.

-- name: creators_with_snapshots
select distinct j.creator_id
from project j join channel c on c.project_id = j.id
where exists (
  select from publication p join engagement_snapshot s on s.publication_id = p.id where p.channel_id = c.id)

-- name: weights_in_force
select version, weights, person_id is not null as is_by_person from reward_weights
where creator_id = %(creator_id)s order by version desc limit 1

-- name: list_reward_weights
select w.creator_id, c.name as creator, w.version, w.weights, d.name as person, w.created_at
from reward_weights w
join creator c on c.id = w.creator_id
left join person d on d.id = w.person_id
where %(creator_id)s::bigint is null or w.creator_id = %(creator_id)s
order by c.name, w.version desc

-- name: creators_named
select id, name from creator where %(name)s::text is null or name = %(name)s order by name

-- name: lock_creator
select id from creator where id = %(creator_id)s for no key update

-- name: insert_reward_weights
insert into reward_weights (creator_id, version, weights, person_id)
select %(creator_id)s, coalesce(max(version), 0) + 1, %(weights)s, %(person_id)s
from reward_weights where creator_id = %(creator_id)s
returning version

-- name: ask_for_rewards_of
-- Other weights are in force: every measured reply of the creator is weighed again.
insert into reward_due
select distinct s.publication_id
from engagement_snapshot s
join publication p on p.id = s.publication_id
join channel c on c.id = p.channel_id
join project j on j.id = c.project_id and j.creator_id = %(creator_id)s
order by 1
on conflict (publication_id) do update set publication_id = excluded.publication_id

-- name: take_rewards_due
-- Waits for whoever is just adding to one of them; what that was is seen by the statements that follow, not by this.
with taken as (
  select publication_id from reward_due order by publication_id limit %(most)s for update
)
delete from reward_due d using taken where d.publication_id = taken.publication_id
returning d.publication_id

-- name: load_rewards_due
-- The oldest age that was measured of each reply, with what its reward is made of. The time between the post answered
-- and the reply is told by the platform's clock at both ends.
select p.id as publication_id, p.channel_id, j.creator_id, c.platform, c.is_sandbox, d.decision_id,
       o.author_followers, o.is_summoned, p.first_sending_at is not null as is_by_api,
       s.window_s, s.impressions, s.likes, s.replies, s.reposts, s.is_deleted, s.is_late, t.texts,
       extract(epoch from m.planned_at - make_interval(secs => m.window_s) - o.created_at)::float8 as parent_age_s,
       (select coalesce(sum(u.cost_usd), 0)::float8 from model_run u where u.input_ref = 'post:' || p.post_id) as model_usd
from publication p
join channel c on c.id = p.channel_id
join project j on j.id = c.project_id
join post o on o.id = p.post_id
join review r on r.id = p.review_id
join draft d on d.id = r.draft_id
cross join lateral (
  select * from engagement_snapshot e where e.publication_id = p.id order by e.window_s desc limit 1
) s
left join measurement m on (m.publication_id, m.window_s) = (p.id, s.window_s)
cross join lateral (
  select array_agg(a.text order by a.position) as texts from publication_part a where a.publication_id = p.id
) t
where p.id = any (%(ids)s)
order by p.id

-- name: shared_model_cost
-- What models cost that were not asked about a post which was answered, for each reply that went out.
with tied as (
  select sum(u.cost_usd) as usd, count(distinct p.id) as n
  from publication p left join model_run u on u.input_ref = 'post:' || p.post_id
  where p.state = 'sent'
)
select greatest(coalesce((select sum(cost_usd) from model_run), 0) - coalesce(tied.usd, 0), 0)::float8
       / greatest(tied.n, 1) as usd
from tied

-- name: known_norm
select id, n_replies, norm from reward_norm
where (creator_id, platform, is_sandbox, window_s, weights_version, day)
    = (%(creator_id)s, %(platform)s, %(is_sandbox)s, %(window_s)s, %(weights_version)s, %(day)s)

-- name: usual_of_replies
-- Medians over the newest sound snapshots of a creator on a platform at one window; rehearsals by themselves.
with sound as (
  select p.id, s.impressions, o.author_followers,
         %(like)s * greatest(s.likes, 0) + %(reply)s * s.replies + %(repost)s * s.reposts as engagement,
         extract(epoch from m.planned_at - make_interval(secs => m.window_s) - o.created_at)::float8 as age_s
  from engagement_snapshot s
  join publication p on p.id = s.publication_id
  join channel c on c.id = p.channel_id and c.platform = %(platform)s and c.is_sandbox = %(is_sandbox)s
  join project j on j.id = c.project_id and j.creator_id = %(creator_id)s
  join post o on o.id = p.post_id
  left join measurement m on (m.publication_id, m.window_s) = (s.publication_id, s.window_s)
  where s.window_s = %(window_s)s and not s.is_deleted and not s.is_late and s.created_at >= %(measured_after_at)s
  order by s.id desc limit %(newest)s
)
select count(*)::int as n_replies, coalesce(array_agg(id), '{}') as ids,
       coalesce(sum(impressions), 0)::float8 as impressions,
       percentile_cont(0.5) within group (order by author_followers) as median_followers,
       percentile_cont(0.5) within group (order by impressions) as median_impressions,
       percentile_cont(0.5) within group (order by age_s) as median_age_s,
       percentile_cont(0.5) within group (
         order by engagement / greatest(coalesce(impressions, %(impressions)s), 1)) as median_rate
from sound

-- name: save_norm
insert into reward_norm (creator_id, platform, is_sandbox, window_s, weights_version, day, n_replies, norm)
values (%(creator_id)s, %(platform)s, %(is_sandbox)s, %(window_s)s, %(weights_version)s, %(day)s, %(n_replies)s,
        %(norm)s)
on conflict do nothing

-- name: save_rewards
insert into reward as r
  (publication_id, decision_id, window_s, engagement_rate, reward, components, weights_version, norm_id, engagement,
   growth, conversion, cost, is_mature)
select publication_id, decision_id, window_s, engagement_rate, reward, components, weights_version, norm_id, engagement,
       growth, conversion, cost, is_mature
from json_to_recordset(%(rewards)s::json) as g (
  publication_id bigint, decision_id bigint, window_s integer, engagement_rate float8, reward float8, components jsonb,
  weights_version integer, norm_id bigint, engagement float8, growth float8, conversion float8, cost float8,
  is_mature boolean)
on conflict (publication_id) do update
set decision_id = excluded.decision_id, window_s = excluded.window_s, engagement_rate = excluded.engagement_rate,
    reward = excluded.reward, components = excluded.components, weights_version = excluded.weights_version,
    norm_id = excluded.norm_id, engagement = excluded.engagement, growth = excluded.growth,
    conversion = excluded.conversion, cost = excluded.cost, is_mature = excluded.is_mature, updated_at = now()

-- name: outcome_counts
-- How far decisions got: what is known of engagement is known of the approved and sent ones alone.
select count(*)::int as decisions,
       count(*) filter (where review_id is not null and not is_simulated)::int as reviewed_by_people,
       count(*) filter (where review_decision = 'approved' and not is_simulated)::int as approved_by_people,
       count(*) filter (where is_simulated)::int as simulated,
       count(*) filter (where publication_state = 'sent')::int as sent,
       count(*) filter (where was_handed_off)::int as handed_off,
       count(*) filter (where window_s is not null)::int as measured,
       count(*) filter (where is_mature)::int as mature,
       (select count(*)::int from learnable_outcome) as learnable
from outcome
