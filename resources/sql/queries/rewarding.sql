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
insert into reward_due (publication_id)
select distinct s.publication_id
from engagement_snapshot s
join publication p on p.id = s.publication_id
join channel c on c.id = p.channel_id
join project j on j.id = c.project_id and j.creator_id = %(creator_id)s
order by 1
on conflict (publication_id) do update set failed_at = null, reason = null

-- name: take_rewards_due
-- Waits for whoever is just adding to one of them; what that was is seen by the statements that follow, not by this.
-- One that could not be worked out is tried again after a day, or once something is new.
with taken as (
  select publication_id from reward_due
  where failed_at is null or failed_at < %(failed_before_at)s
  order by publication_id limit %(most)s for update
)
delete from reward_due d using taken where d.publication_id = taken.publication_id
returning d.publication_id

-- name: count_rewards_due
select count(*)::int as n from reward_due where failed_at is null or failed_at < %(failed_before_at)s

-- name: keep_failed_rewards
-- They wait with their reason; one that somebody asked for again in the meantime is tried again at once.
insert into reward_due (publication_id, failed_at, reason)
select publication_id, %(now)s, reason
from json_to_recordset(%(failed)s::json) as g (publication_id bigint, reason text)
order by publication_id
on conflict (publication_id) do nothing

-- name: failed_rewards
select publication_id, failed_at, reason from reward_due where failed_at is not null order by publication_id limit %(most)s

-- name: load_rewards_due
-- Every age at which a reply was measured, with what its reward is made of. The time between the post answered and the
-- reply is told by the platform's clock at both ends. Models count that were asked about the post until the reply went out.
select p.id as publication_id, j.creator_id, c.platform, c.is_sandbox, d.decision_id, o.author_followers,
       s.window_s, s.impressions, s.likes, s.replies, s.reposts, s.is_deleted, s.is_late, s.created_at::date as day,
       extract(epoch from m.planned_at - make_interval(secs => m.window_s) - o.created_at)::float8 as parent_age_s,
       paid.platform_usd, asked.model_usd
from publication p
join channel c on c.id = p.channel_id
join project j on j.id = c.project_id
join post o on o.id = p.post_id
join review r on r.id = p.review_id
join draft d on d.id = r.draft_id
join engagement_snapshot s on s.publication_id = p.id
left join measurement m on (m.publication_id, m.window_s) = (p.id, s.window_s)
cross join lateral (
  select coalesce(sum(h.charged_usd), 0)::float8 as platform_usd from publication_charge h where h.publication_id = p.id
) paid
cross join lateral (
  select coalesce(sum(u.cost_usd), 0)::float8 as model_usd from model_run u
  where u.input_ref = 'post:' || p.post_id and u.created_at <= p.sent_at
) asked
where p.id = any (%(ids)s)
order by p.id, s.window_s

-- name: shared_model_cost
-- The share of each of these replies in what models cost that were asked about no single post. A call is spent in equal
-- parts over so many UTC days, its own first; a day's parts are shared by as many decisions of the same project and kind
-- as a day had on average since the first of these days that had any. A reply that came of no decision counts as one.
-- What a call is for is told by its source, else by its creator where he has one project, else by there being one
-- project; what answers a person's question is for no reply. A call knows no kind: it counts in full for rehearsals and
-- for what is real, which are never added up.
with asked as (
  select p.id, c.project_id, c.is_sandbox, coalesce(n.created_at, p.created_at)::date as day
  from publication p
  join channel c on c.id = p.channel_id
  join review r on r.id = p.review_id
  join draft d on d.id = r.draft_id
  left join decision n on n.id = d.decision_id
  where p.id = any (%(ids)s)
), span as (
  select project_id, min(day) - %(days)s::integer + 1 as since, max(day) as until from asked group by project_id
), alone as (
  select creator_id, min(id) as project_id from project group by creator_id having count(*) = 1
), spent as materialized (
  select s.project_id, u.created_at::date as day, sum(u.cost_usd) as usd
  from span s
  join model_run u on u.created_at >= s.since and u.created_at < s.until + 1 and u.cost_usd > 0
    and coalesce(u.input_ref, '') !~ '^(post|question):'
  left join source f on f.id = case when u.input_ref ~ '^source:[0-9]{1,18}$' then substr(u.input_ref, 8)::bigint end
  left join alone a on a.creator_id = u.creator_id
  where s.project_id = coalesce(
    f.project_id, a.project_id,
    case when u.creator_id is null then (select min(id) from project having count(*) = 1) end)
  group by s.project_id, u.created_at::date
), decided as (
  select c.project_id, c.is_sandbox, n.created_at::date as day
  from decision n
  join post o on o.id = n.post_id
  join channel c on c.id = o.channel_id
  join span s on s.project_id = c.project_id and n.created_at >= s.since and n.created_at < s.until + 1
  union all
  select c.project_id, c.is_sandbox, p.created_at::date
  from publication p
  join channel c on c.id = p.channel_id
  join span s on s.project_id = c.project_id and p.created_at >= s.since and p.created_at < s.until + 1
  join review r on r.id = p.review_id
  join draft d on d.id = r.draft_id and d.decision_id is null
  where p.state = 'sent'
), by_day as materialized (
  select project_id, is_sandbox, day, count(*) as n from decided group by project_id, is_sandbox, day
), share as (
  select k.project_id, k.is_sandbox, k.day,
         cost.usd * (k.day - coalesce(had.first, k.day) + 1) / (%(days)s::integer * greatest(had.n, 1)) as usd
  from (select distinct project_id, is_sandbox, day from asked) k
  cross join lateral (
    select coalesce(sum(x.usd), 0) as usd from spent x
    where x.project_id = k.project_id and x.day between k.day - %(days)s::integer + 1 and k.day
  ) cost
  cross join lateral (
    select sum(x.n) as n, min(x.day) as first from by_day x
    where (x.project_id, x.is_sandbox) = (k.project_id, k.is_sandbox)
      and x.day between k.day - %(days)s::integer + 1 and k.day
  ) had
)
select a.id as publication_id, h.usd::float8 as usd
from asked a join share h on (h.project_id, h.is_sandbox, h.day) = (a.project_id, a.is_sandbox, a.day)

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
  where s.window_s = %(window_s)s and not s.is_deleted and not s.is_late
    and s.created_at >= %(measured_after_at)s and s.created_at < %(measured_before_at)s
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
on conflict (publication_id, window_s) do update
set decision_id = excluded.decision_id, engagement_rate = excluded.engagement_rate,
    reward = excluded.reward, components = excluded.components, weights_version = excluded.weights_version,
    norm_id = excluded.norm_id, engagement = excluded.engagement, growth = excluded.growth,
    conversion = excluded.conversion, cost = excluded.cost, is_mature = excluded.is_mature, updated_at = now()

-- name: rewards_by_age
-- The latest measured replies of a creator, or of all, with their reward at each age.
select p.id as publication_id, j.creator_id, c.name as channel, c.is_sandbox, d.strategy, p.sent_at,
       w.window_s, w.reward, w.engagement_rate, w.engagement, w.growth, w.conversion, w.cost, w.weights_version, w.is_mature,
       s.is_late, s.is_deleted
from (
  select q.id from publication q
  join channel k on k.id = q.channel_id
  join project g on g.id = k.project_id
  where (%(creator_id)s::bigint is null or g.creator_id = %(creator_id)s)
    and exists (select from reward v where v.publication_id = q.id)
  order by q.id desc limit %(most)s
) latest
join publication p on p.id = latest.id
join channel c on c.id = p.channel_id
join project j on j.id = c.project_id
join review r on r.id = p.review_id
join draft d on d.id = r.draft_id
join reward w on w.publication_id = p.id
left join engagement_snapshot s on (s.publication_id, s.window_s) = (w.publication_id, w.window_s)
order by p.id desc, w.window_s

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
