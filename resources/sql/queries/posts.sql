-- name: enabled_channels
select id, project_id, name, platform, account, account_key, base_url, is_sandbox, policy, communities
from channel where is_enabled order by id

-- name: upsert_channel
insert into channel (project_id, name, platform, account, base_url, is_sandbox, policy, communities)
values (%(project_id)s, %(name)s, %(platform)s, %(account)s, %(base_url)s, %(is_sandbox)s, %(policy)s,
        %(communities)s)
on conflict (name) do update
set account = excluded.account, base_url = excluded.base_url, policy = excluded.policy,
    communities = excluded.communities, is_enabled = true
returning id

-- name: load_cursor
select value from cursor where channel_id = %(channel_id)s and name = %(name)s

-- name: save_cursor
insert into cursor (channel_id, name, value) values (%(channel_id)s, %(name)s, %(value)s)
on conflict (channel_id, name) do update set value = excluded.value, updated_at = now()

-- name: insert_posts
-- Posts of one channel, each platform's id once, as an array of JSON objects; what each was, by its place in the
-- array. In the order of their ids, so that two that hear the same posts never wait for each other. Only of what was
-- there before the stored words are looked up.
with given as materialized (
  select * from json_to_recordset(%(posts)s::json) as g (
    place integer, platform text, platform_post_id text, author text, author_id text, author_followers integer, community text,
    text text, url text, conversation_id text, parent_id text, mentions text[], quoted_author text, lang text,
    metrics jsonb, created_at timestamptz, is_summoned boolean, priority integer, rejection_reason text,
    checked_at timestamptz, answers_publication_id bigint)
), fresh as (
  insert into post
    (channel_id, platform, platform_post_id, author, author_id, author_followers, community, text, url, conversation_id,
     parent_id, mentions, quoted_author, lang, metrics, created_at, is_summoned, priority, status, rejection_reason,
     answers_publication_id, checked_at)
  select %(channel_id)s, platform, platform_post_id, author, author_id, author_followers, community, text, url, conversation_id,
         parent_id, coalesce(mentions, '{}'), quoted_author, lang, coalesce(metrics, '{}'), created_at,
         coalesce(is_summoned, false), coalesce(priority, 0),
         case when rejection_reason is null then 'pending' else 'rejected' end, rejection_reason,
         answers_publication_id, coalesce(checked_at, now())
  from given order by platform, platform_post_id
  on conflict (platform, platform_post_id) do nothing
  returning platform, platform_post_id
)
select g.place, f.platform is not null as is_new, p.text is distinct from g.text as is_other
from given g
left join fresh f on (f.platform, f.platform_post_id) = (g.platform, g.platform_post_id)
left join post p
  on (p.platform, p.platform_post_id) = (case when f.platform is null then g.platform end, g.platform_post_id)
order by g.place

-- name: note_post_edit
-- An edited post goes back to triage for another round, and an approval of a reply to the old wording is void; not while
-- its reply is being sent, nor once it stands. So does one that was gone and is back. What was purged stays so, nothing
-- brings back who opted out, what was rejected as history stays history where that is named, and an answer to a reply of
-- ours that was left alone rests where left_alone says why it still is.
with edited as (
  update post
  set text = %(text)s, metrics = %(metrics)s, edited_at = %(now)s, checked_at = %(now)s, gone_at = null,
      stage = 'triage', step = 'embed', attempts = 0, crashes = 0, lease_worker = null,
      lease_until = null, in_hand_at = null, last_error = null, rejection_reason = %(left_alone)s::text,
      status = case when %(left_alone)s::text is null then 'pending' else 'rejected' end, version = version + 1,
      round = round + 1, due_at = now()
  where platform = %(platform)s and platform_post_id = %(platform_post_id)s
    and (text <> %(text)s or gone_at is not null)
    and stage <> 'done' and (stage, status) <> ('post_queue', 'processing') and purged_at is null
    and coalesce(rejection_reason, '') <> coalesce(%(history)s::text, '-')
    and not is_left_alone(post)
  returning id
), cancelled as (
  update publication p
  set state = case p.state when 'queued' then 'cancelled' else 'abandoned' end, reason_code = 'edited',
      detail = 'the post was edited after the reply to it was approved'
  from edited where p.post_id = edited.id and p.state in ('queued', 'handoff')
)
select id from edited

-- name: note_archive_edit
-- An archive tells nothing new of a post that triage has seen; what only archives know takes the wording of the latest.
update post
set text = %(text)s, metrics = %(metrics)s, edited_at = now()
where platform = %(platform)s and platform_post_id = %(platform_post_id)s and text <> %(text)s
  and (stage, status, rejection_reason) = ('triage', 'rejected', %(reason)s) and purged_at is null
returning id

-- name: load_posts
select p.id, p.channel_id, p.platform, p.platform_post_id, p.author, p.author_id, p.author_followers, p.community, p.text,
       p.url, p.conversation_id, p.parent_id, p.mentions, p.quoted_author, p.lang, p.metrics, p.created_at, p.heard_at,
       p.is_summoned, p.relevance, e.embedding
from post p
left join post_embedding e on e.post_id = p.id and e.embedding_index_id = %(index_id)s
where p.id = any (%(ids)s)

-- name: save_post_embedding
insert into post_embedding (post_id, embedding_index_id, embedding)
values (%(post_id)s, %(index_id)s, %(embedding)s)
on conflict (post_id, embedding_index_id) do update set embedding = excluded.embedding

-- name: save_stage_decision
insert into stage_decision (post_id, step, verdict, reason, scores, model_version_id)
values (%(post_id)s, %(step)s, %(verdict)s, %(reason)s, %(scores)s, %(model_version_id)s)
on conflict (post_id, step) do update
set verdict = excluded.verdict, reason = excluded.reason, scores = excluded.scores,
    model_version_id = excluded.model_version_id, created_at = now()

-- name: set_relevance
update post set relevance = %(relevance)s, priority = %(priority)s where id = %(id)s

-- name: earlier_relevance
select post_id, verdict from stage_decision where step = 'relevance' and post_id = any (%(ids)s)

-- name: champion_model
-- A model that learned from another embedding model's vectors cannot read these.
select id, parameters from model_version
where name = %(name)s and is_champion
  and (%(embedding_model)s::text is null
       or coalesce(metrics ->> 'embedding_model', %(embedding_model)s::text) = %(embedding_model)s::text)

-- name: insert_claim
insert into claim (post_id, round, position, kind, text, check_worthiness)
select id, round, %(position)s, %(kind)s, %(text)s, %(check_worthiness)s from post where id = %(post_id)s
returning id

-- name: load_claims
select c.id, c.post_id, c.position, c.kind, c.text, c.check_worthiness
from claim c join post p on p.id = c.post_id and p.round = c.round
where c.post_id = any (%(post_ids)s) order by c.post_id, c.position

-- name: insert_evidence
-- Earlier drafts may still cite earlier evidence, so a new round of research goes after it.
insert into evidence (post_id, position, claim_id, chunk_id, quote, start_s, speaker, score, verdict,
                      dense_rank, lexical_rank, fused_rank, final_rank)
values (%(post_id)s,
        (select coalesce(max(position) + 1, 0) from evidence where post_id = %(post_id)s),
        %(claim_id)s, %(chunk_id)s, %(quote)s, %(start_s)s, %(speaker)s, %(score)s, %(verdict)s,
        %(dense_rank)s, %(lexical_rank)s, %(fused_rank)s, %(final_rank)s)
returning id

-- name: evidence_recall_proxy
-- Of the newest quotes, the share whose passage stood among the first k of each list when it was found.
select count(*)::int as n,
       (avg((final_rank <= 1)::int))::float8 as first_1,
       (avg((final_rank <= 3)::int))::float8 as first_3,
       (avg((coalesce(fused_rank <= %(k)s, false))::int))::float8 as fused,
       (avg((coalesce(dense_rank <= %(k)s, false))::int))::float8 as meaning,
       (avg((coalesce(lexical_rank <= %(k)s, false))::int))::float8 as words
from (
  select final_rank, fused_rank, dense_rank, lexical_rank from evidence
  where final_rank is not null order by id desc limit %(newest)s
) v

-- name: load_evidence
select v.id, v.post_id, v.position, v.claim_id, v.chunk_id, v.quote, v.start_s, v.speaker, v.score, v.verdict,
       c.source_id, s.title as source_title, s.url as source_url
from evidence v
join claim m on m.id = v.claim_id
join post p on p.id = v.post_id and p.round = m.round
join chunk c on c.id = v.chunk_id
join source s on s.id = c.source_id
where v.post_id = any (%(post_ids)s)
order by v.post_id, v.score desc, v.position

-- name: save_stage_result
insert into stage_result (post_id, stage, result) values (%(post_id)s, %(stage)s, %(result)s)
on conflict (post_id, stage) do update set result = excluded.result, created_at = now()

-- name: next_round
select count(*)::int as round from decision where post_id = %(post_id)s

-- name: insert_decision
insert into decision (post_id, round, context_version, policy_version, prompt_version, candidates, action, propensity,
                      is_link_proposed, link_reason, price_usd, price_with_link_usd)
values (%(post_id)s, %(round)s, %(context_version)s, %(policy_version)s, %(prompt_version)s,
        %(candidates)s, %(action)s, %(propensity)s,
        %(is_link_proposed)s, %(link_reason)s, %(price_usd)s, %(price_with_link_usd)s)
on conflict (post_id, round) do nothing
returning id

-- name: latest_decisions
select distinct on (post_id) post_id, id, action, round, is_link_proposed from decision
where post_id = any (%(post_ids)s) order by post_id, round desc

-- name: insert_draft
with earlier as (
  select max(version) as version, max(id) as id from draft where post_id = %(post_id)s
), fresh as (
  insert into draft (post_id, decision_id, round, version, text, strategy, model, prompt_version, author_id)
  select p.id, %(decision_id)s, p.round, coalesce(earlier.version, 0) + 1, %(text)s, %(strategy)s, %(model)s,
         %(prompt_version)s, %(author_id)s
  from earlier join post p on p.id = %(post_id)s
  returning id, version
), chained as (
  update draft d set superseded_by = fresh.id from fresh, earlier where d.id = earlier.id
)
select id, version from fresh

-- name: insert_draft_evidence
insert into draft_evidence (draft_id, evidence_id, quote, address)
values (%(draft_id)s, %(evidence_id)s, %(quote)s, %(address)s)
on conflict do nothing

-- name: latest_drafts
select distinct on (d.post_id) d.post_id, d.id, d.version, d.text, d.strategy, d.model, d.prompt_version, d.decision_id
from draft d join post p on p.id = d.post_id and p.round = d.round
where d.post_id = any (%(post_ids)s) order by d.post_id, d.version desc

-- name: draft_quotes
select q.draft_id, q.quote, v.id as evidence_id, v.quote as evidence_quote, v.start_s, v.speaker, v.score, v.verdict,
       v.chunk_id, s.title as source_title, s.url as source_url
from draft_evidence q
join evidence v on v.id = q.evidence_id
join chunk c on c.id = v.chunk_id
join source s on s.id = c.source_id
where q.draft_id = any (%(draft_ids)s)
order by q.draft_id, v.position

-- name: save_draft_check
insert into draft_check (draft_id, name, is_passed, detail)
values (%(draft_id)s, %(name)s, %(is_passed)s, %(detail)s)
on conflict (draft_id, name) do update set is_passed = excluded.is_passed, detail = excluded.detail

-- name: recent_reply_texts
-- What a new draft must not repeat: replies that wait, were approved or went out.
select t.text from (
  select d.id, d.text from draft d join post p on p.id = d.post_id and p.round = d.round
  where d.superseded_by is null and d.post_id <> %(post_id)s and p.stage in ('review', 'post_queue', 'done')
  order by d.id desc limit %(top)s
) t

-- name: count_posts_by_place
select stage, status, count(*)::int as n from post group by stage, status order by stage, status

-- name: count_everything
select
  (select count(*) from source)::int as sources,
  (select count(*) from source where status = 'completed')::int as sources_ready,
  (select count(*) from chunk where is_current)::int as chunks,
  (select count(*) from chunk_embedding e join embedding_index i on i.id = e.embedding_index_id
   where i.state = 'active')::int as chunk_embeddings,
  (select count(*) from keyword)::int as keywords,
  (select count(*) from listening_rule where is_active)::int as listening_rules,
  (select count(*) from post)::int as posts,
  (select count(*) from claim)::int as claims,
  (select count(*) from evidence)::int as evidence,
  (select count(distinct post_id) from draft)::int as drafts,
  (select count(*) from publication where state = 'sent' and platform_id is not null)::int as published,
  (select count(*) from publication where state = 'handoff')::int as handed_off,
  (select count(*) from publication where state = 'unknown')::int as unknown,
  (select count(*) from engagement_snapshot)::int as snapshots,
  (select count(distinct publication_id) from reward)::int as rewards,
  (select count(*) from quarantine)::int as quarantined,
  (select count(*) from dead_letter where revived_at is null)::int as dead,
  (select count(*) from model_run)::int as model_calls,
  (select coalesce(sum(cost_usd), 0) from model_run)::float8 as model_cost_usd

-- name: rejection_reasons
select coalesce(rejection_reason, '?') as reason, count(*)::int as n
from post where status = 'rejected' group by 1 order by 2 desc, 1 limit %(top)s
