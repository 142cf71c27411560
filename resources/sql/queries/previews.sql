-- What Dagster shows of each asset: the newest rows, with the number of all rows in total. Nothing that somebody said on
-- a platform, nor what was made of it: Dagster keeps what it was shown, and a deletion has to reach everything.

-- name: model_cost
select coalesce(sum(cost_usd), 0)::float8 as cost_usd from model_run

-- name: preview_sources
select count(*) over ()::int as total, name, title, format, round((duration_s / 60)::numeric, 1) as minutes, step, status
from source order by id desc limit %(top)s

-- name: preview_chunks
select count(*) over ()::int as total, s.title as source, c.chunk_index, round(c.start_s) as start_s, c.n_tokens, left(c.text, 80) as text
from chunk c join source s on s.id = c.source_id where c.is_current order by c.id desc limit %(top)s

-- name: preview_chunk_embeddings
select count(*) over ()::int as total, e.chunk_id, i.model, i.dim
from chunk_embedding e join embedding_index i on i.id = e.embedding_index_id and i.state = 'active' order by e.chunk_id desc limit %(top)s

-- name: preview_keywords
select count(*) over ()::int as total, k.term, round(k.score::numeric, 3) as score, s.title as source
from keyword k join source s on s.id = k.source_id order by k.score desc, k.term limit %(top)s

-- name: preview_summaries
select count(*) over ()::int as total, m.scope, coalesce(s.title, to_char(e.starts_on, 'YYYY-MM')) as of,
       (select count(*)::int from summary_sentence t where t.summary_id = m.id) as n_sentences, m.text
from summary m join epoch e on e.id = m.epoch_id left join source s on s.id = m.source_id
order by m.scope, m.updated_at desc, m.id desc limit %(top)s

-- name: preview_listening_rules
select count(*) over ()::int as total, c.name as channel, r.tag, r.query
from listening_rule r join channel c on c.id = r.channel_id where r.is_active order by r.id desc limit %(top)s

-- name: preview_posts
select count(*) over ()::int as total, platform, platform_post_id, stage, status, length(text) as n_characters
from post order by id desc limit %(top)s

-- name: preview_post_embeddings
select count(*) over ()::int as total, e.post_id, i.model from post_embedding e
join embedding_index i on i.id = e.embedding_index_id order by e.post_id desc limit %(top)s

-- name: preview_relevance
select count(*) over ()::int as total, post_id, verdict from stage_decision
where step = 'relevance' order by id desc limit %(top)s

-- name: preview_claims
select count(*) over ()::int as total, post_id, kind, round(check_worthiness::numeric, 2) as check_worthiness
from claim order by id desc limit %(top)s

-- name: preview_evidence
select count(*) over ()::int as total, v.post_id, round(v.score::numeric, 2) as score, v.verdict, s.title as source, round(v.start_s) as start_s, v.quote
from evidence v join chunk c on c.id = v.chunk_id join source s on s.id = c.source_id order by v.id desc limit %(top)s

-- name: preview_decisions
select count(*) over ()::int as total, post_id, round, action, propensity, candidates from decision order by id desc limit %(top)s

-- name: preview_drafts
select count(*) over ()::int as total, post_id, version, strategy, length(text) as n_characters from draft order by id desc limit %(top)s

-- name: preview_checked_drafts
select count(*) over ()::int as total, d.post_id, c.name, c.is_passed
from draft_check c join draft d on d.id = c.draft_id order by c.draft_id desc, c.name limit %(top)s

-- name: preview_engagement
select count(*) over ()::int as total, publication_id, window_s, impressions, likes, replies, reposts, taken_at
from engagement_snapshot order by id desc limit %(top)s

-- name: preview_rewards
select count(*) over ()::int as total, publication_id, window_s, round(reward::numeric, 3) as reward, round(engagement_rate::numeric, 4) as engagement_rate
from reward order by updated_at desc, publication_id limit %(top)s

-- name: preview_relevance_model
select count(*) over ()::int as total, id, name, is_champion, metrics, created_at from model_version order by id desc limit %(top)s

-- name: preview_post_standings
-- Not the history whose platform is never asked.
select count(*) over ()::int as total, platform, platform_post_id, checked_at, gone_at, purged_at
from post where checked_at < '9999-01-01' order by checked_at desc, id desc limit %(top)s

-- name: preview_follow_ups
select count(*) over ()::int as total, o.answers_publication_id as publication_id, o.id as post_id, d.verdict as kind, o.stage, o.status
from post o left join stage_decision d on d.post_id = o.id and d.step = 'follow_up'
where o.answers_publication_id is not null order by o.id desc limit %(top)s

-- name: preview_outcomes
select count(*) over ()::int as total, decision_id, action, propensity, review_decision, is_simulated, publication_state, window_s, reward
from outcome order by decision_id desc limit %(top)s
