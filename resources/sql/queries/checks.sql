-- Asset checks: each gives the rows that break its rule, as key and problem; no row means passed.

-- name: check_sources
select s.name as key, 'has no cue with text' as problem from source s
where not exists (select from cue c where c.source_id = s.id and btrim(c.text) <> '') limit 20

-- name: check_chunks
select s.name || ' #' || coalesce(c.chunk_index, -1) as key, 'times run backwards, or there is no chunk' as problem
from source s left join chunk c on c.source_id = s.id and c.is_current
where s.step <> 'chunk' and s.twin_of is null and (c.id is null or c.end_s < c.start_s) limit 20

-- name: check_chunk_embeddings
select s.name as key, 'has chunks without a vector' as problem from source s
where s.step in ('keywords', 'ready') and exists (
  select from chunk c where c.source_id = s.id and c.is_current
    and not exists (
      select from chunk_embedding e join embedding_index i on i.id = e.embedding_index_id
      where e.chunk_id = c.id and i.state = 'active')) limit 20

-- name: check_keywords
select s.name as key, 'has no keyword' as problem from source s
where s.status = 'completed' and s.twin_of is null and not exists (select from keyword k where k.source_id = s.id) limit 20

-- name: check_summaries
select s.name as key, 'went on without a summary' as problem from source s
where s.status = 'completed' and s.twin_of is null and not exists (select from summary m where m.source_id = s.id)
union all
select to_char(e.starts_on, 'YYYY-MM'), 'has no summary although its sources have sentences' from epoch e
where e.status = 'completed'
  and exists (select from summary m join source s on s.id = m.source_id and s.twin_of is null
              join summary_sentence t on t.summary_id = m.id where m.epoch_id = e.id and m.scope = 'source')
  and not exists (select from summary m join summary_sentence t on t.summary_id = m.id
                  where m.epoch_id = e.id and m.scope = 'epoch')
union all
select m.id::text, 'cites a source that it is no summary of' from summary m
join summary_sentence t on t.summary_id = m.id
where (m.scope = 'source' and t.source_id <> m.source_id)
   or (m.scope = 'epoch' and not exists (
     select from summary o where o.epoch_id = m.epoch_id and o.scope = 'source' and o.source_id = t.source_id))
limit 20

-- name: check_listening_rules
select c.name as key, 'has no active rule, or one over 512 characters' as problem from channel c
where c.is_enabled and c.platform = 'x' and (
  not exists (select from listening_rule r where r.channel_id = c.id and r.is_active)
  or exists (select from listening_rule r where r.channel_id = c.id and r.is_active and length(r.query) > 512)) limit 20

-- name: check_posts
select platform_post_id as key, 'has no text, or a time in the future' as problem from post
where (btrim(text) = '' and purged_at is null) or created_at > heard_at + interval '1 day' limit 20

-- name: check_post_embeddings
select p.platform_post_id as key, 'went on without a vector' as problem from post p
where not (p.stage = 'triage' and p.step = 'embed') and p.status <> 'withdrawn' and p.purged_at is null
  and not exists (select from post_embedding e where e.post_id = p.id) limit 20

-- name: check_relevance
select p.platform_post_id as key, 'went on without a decision on relevance' as problem from post p
where (p.stage <> 'triage' or p.step = 'claims')
  and not exists (select from stage_decision d where d.post_id = p.id and d.step = 'relevance') limit 20

-- name: check_claims
select p.platform_post_id as key, 'went on without a claim' as problem from post p
where p.stage <> 'triage' and p.purged_at is null and not exists (select from claim c where c.post_id = p.id) limit 20

-- name: check_evidence
select v.id::text as key, 'the quote does not stand word for word in its chunk' as problem
from evidence v join chunk c on c.id = v.chunk_id
where strpos(regexp_replace(c.text, '\s+', ' ', 'g'), v.quote) = 0 limit 20

-- name: check_decisions
-- Every choice is a draw out of its set with a true probability, and every draft that a machine wrote has its choice.
select d.post_id::text as key, 'its propensity is not that of the uniform policy' as problem from decision d
where d.policy_version = 'uniform.v1' and abs(d.propensity - 1.0 / nullif(cardinality(d.candidates), 0)) > 1e-9
union all
select d.post_id::text, 'its propensity is no probability, or what was chosen is not in its set' from decision d
where not (d.propensity > 0 and d.propensity <= 1) or d.action <> all (d.candidates)
union all
select f.post_id::text, 'its draft was chosen by nothing that was logged' from draft f
where f.decision_id is null and f.author_id is null
limit 20

-- name: check_drafts
select p.platform_post_id as key, 'has no draft that cites evidence' as problem from post p
where p.stage in ('editorial', 'review', 'post_queue', 'done') and p.status <> 'withdrawn' and p.purged_at is null
  and not exists (
  select from draft d join draft_evidence e on e.draft_id = d.id where d.post_id = p.id) limit 20

-- name: check_checked_drafts
select p.platform_post_id as key, 'reached a reviewer with a failed check or none' as problem from post p
where p.stage = 'review' and p.status = 'pending' and not exists (
  select from draft d join draft_check c on c.draft_id = d.id
  where d.post_id = p.id and d.author_id is null
  group by d.id having bool_and(c.is_passed)) limit 20

-- name: check_engagement
select m.publication_id::text as key, 'its snapshot of ' || m.window_s || ' s could not be taken' as problem
from measurement m where m.status = 'dead' limit 20

-- name: check_rewards
select s.publication_id::text as key, 'was measured at ' || s.window_s || ' s but has no reward for it' as problem
from engagement_snapshot s
where not exists (select from reward r where (r.publication_id, r.window_s) = (s.publication_id, s.window_s))
union all
select d.publication_id::text, 'its reward cannot be worked out ' || d.reason from reward_due d where d.failed_at is not null
limit 20

-- name: check_follow_ups
-- Nobody who is left alone is worked on any more under a reply of ours.
select o.platform || ':' || o.platform_post_id as key, 'its author is to be left alone and is still worked on' as problem
from post o
where o.answers_publication_id is not null and is_left_alone(o)
  and o.stage <> 'done' and o.status not in ('rejected', 'withdrawn', 'dead') limit 20

-- name: check_outcomes
select p.id::text as key, 'was sent, and no decision is known that led to it' as problem
from publication p
where p.state = 'sent' and not exists (select from outcome u where u.publication_id = p.id)
union all
select u.publication_id::text, 'is learned from, though nobody approved it but a simulation' from learnable_outcome u
join review r on r.id = u.review_id where r.is_simulated
limit 20

-- name: check_relevance_model
select name as key, 'its held-out score is no better than chance' as problem from model_version
where is_champion and coalesce((metrics ->> 'roc_auc')::float8, 1) <= 0.5 limit 20

-- name: check_hearing
-- A channel that is enabled is heard at least every hour; one that was never heard yet is not late.
select c.name as key, 'was last heard ' || to_char(u.updated_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC' as problem
from cursor u join channel c on c.id = u.channel_id
where c.is_enabled and u.name = 'hear' and u.updated_at < now() - interval '1 hour' limit 20

-- name: check_spending
-- Above the budget by more than a hundredth: what was in flight when it ran out may come on top.
select c.name as key, 'spent ' || round(s.usd, 2) || ' USD today, its budget is ' || (c.policy ->> 'spend_cap_usd_per_day') as problem
from channel c cross join lateral (
  select coalesce(sum(e.spent_usd), 0) as usd from spend_entry e
  where e.channel_id = c.id and e.day = (now() at time zone 'UTC')::date) s
where s.usd > (c.policy ->> 'spend_cap_usd_per_day')::numeric * 1.01 limit 20

-- name: check_post_standings
-- Channel by channel, each term worked out once, so that a large table is read by its indexes. What was heard on a real
-- platform has its term also where the channel was disabled since.
with term as materialized (
  select c.id as channel_id, now() - make_interval(secs => y.retention_s) as before
  from channel c join channel_policy y on y.channel_id = c.id
  where c.is_enabled or not c.is_sandbox
)
select late.key, late.problem
from term cross join lateral (
  (select p.platform || ':' || p.platform_post_id as key,
          'was not looked up within the time that its policy sets' as problem
   from post p
   where p.channel_id = term.channel_id and p.gone_at is null and p.purged_at is null and p.checked_at < term.before
   order by p.checked_at, p.id limit 20)
  union all
  (select p.platform || ':' || p.platform_post_id, 'is gone and was not purged within that time'
   from post p
   where p.channel_id = term.channel_id and p.gone_at is not null and p.purged_at is null and p.gone_at < term.before
   limit 20)
) late
limit 20

-- name: hearing_freshness
-- How old what was heard is: seconds from the newest post's own time to its being heard, and since the last poll.
select c.name as channel, max(p.created_at) as newest_post_at, max(p.heard_at) as heard_at,
  (extract(epoch from now() - (select u.updated_at from cursor u where u.channel_id = c.id and u.name = 'hear')))::float8
    as since_poll_s
from channel c left join post p on p.channel_id = c.id where c.is_enabled group by c.id, c.name order by c.name

-- name: spent_today
select c.name as channel, coalesce(sum(e.spent_usd), 0)::float8 as usd
from channel c left join spend_entry e on e.channel_id = c.id and e.day = (now() at time zone 'UTC')::date
where c.is_enabled group by c.name order by c.name
