-- name: ensure_creator
insert into creator (name) values (%(name)s) on conflict (name) do update set name = excluded.name returning id

-- name: ensure_project
insert into project (creator_id, name) values (%(creator_id)s, %(name)s)
on conflict (creator_id, name) do update set name = excluded.name returning id

-- name: find_source
select id, content_hash from source where project_id = %(project_id)s and name = %(name)s

-- name: upsert_source
-- New content of a source that is known starts over at the step chunk.
insert into source (project_id, name, title, url, format, language, content_hash, duration_s)
values (%(project_id)s, %(name)s, %(title)s, %(url)s, %(format)s, %(language)s, %(content_hash)s, %(duration_s)s)
on conflict (project_id, name) do update
set title = excluded.title, url = coalesce(excluded.url, source.url), format = excluded.format,
    language = excluded.language, content_hash = excluded.content_hash, duration_s = excluded.duration_s,
    step = 'chunk', status = 'pending', attempts = 0, crashes = 0, last_error = null, due_at = now(),
    lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
where source.content_hash <> excluded.content_hash
returning id

-- name: delete_cues
delete from cue where source_id = %(source_id)s

-- name: insert_cue
insert into cue (source_id, position, start_s, end_s, speaker, text)
values (%(source_id)s, %(position)s, %(start_s)s, %(end_s)s, %(speaker)s, %(text)s)

-- name: load_sources
select id, name, title, url, format, language from source where id = any (%(ids)s)

-- name: load_cues
select text, start_s, end_s, speaker from cue where source_id = %(source_id)s order by position

-- name: retire_chunks
update chunk set is_current = false where source_id = %(source_id)s and is_current

-- name: upsert_chunk
insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms, start_s, end_s, speakers)
values (%(source_id)s, %(chunk_index)s, %(content_hash)s, %(text)s, %(n_tokens)s, %(n_terms)s, %(start_s)s,
        %(end_s)s, %(speakers)s)
on conflict (source_id, chunk_index, content_hash) do update
set is_current = true, start_s = excluded.start_s, end_s = excluded.end_s, speakers = excluded.speakers
returning id

-- name: delete_old_postings
delete from posting where chunk_id in (select id from chunk where source_id = %(source_id)s)

-- name: insert_posting
insert into posting (term, chunk_id, weight) values (%(term)s, %(chunk_id)s, %(weight)s)

-- name: average_terms
select coalesce(avg(n_terms), 0)::float8 as average from chunk where is_current

-- name: chunks_without_embedding
select c.id, c.text
from chunk c
where c.source_id = %(source_id)s and c.is_current
  and not exists (
    select from chunk_embedding e where e.chunk_id = c.id and e.embedding_index_id = %(index_id)s)
order by c.chunk_index

-- name: insert_chunk_embedding
insert into chunk_embedding (chunk_id, embedding_index_id, embedding)
values (%(chunk_id)s, %(index_id)s, %(embedding)s) on conflict do nothing

-- name: ensure_embedding_index
insert into embedding_index (model, dim, is_active)
values (%(model)s, %(dim)s, not exists (select from embedding_index where is_active))
on conflict (model) do update set dim = excluded.dim
returning id

-- name: delete_keywords
delete from keyword where source_id = %(source_id)s

-- name: insert_keyword
insert into keyword (source_id, term, score) values (%(source_id)s, %(term)s, %(score)s)

-- name: upsert_summary
insert into summary (source_id, text) values (%(source_id)s, %(text)s)
on conflict (source_id) do update set text = excluded.text, created_at = now()

-- name: best_keywords
select k.term, max(k.score) as score, count(*)::int as n_sources
from keyword k join source s on s.id = k.source_id
where s.status = 'completed'
group by k.term order by max(k.score) desc, k.term limit %(top)s

-- name: upsert_listening_rule
insert into listening_rule (channel_id, tag, query) values (%(channel_id)s, %(tag)s, %(query)s)
on conflict (channel_id, tag) do update
set query = excluded.query, is_active = true,
    updated_at = case when listening_rule.query = excluded.query then listening_rule.updated_at else now() end

-- name: retire_listening_rules
update listening_rule set is_active = false, updated_at = now()
where channel_id = %(channel_id)s and is_active and not tag = any (%(tags)s)

-- name: active_rules
select tag, query from listening_rule where channel_id = %(channel_id)s and is_active order by tag

-- name: count_chunks
select count(*)::int as n from chunk where is_current

-- name: nearest_chunks
-- The three chunks nearest to a vector: what the similarity floor looks at.
select e.chunk_id, (1 - (e.embedding <=> %(vector)s::halfvec))::float8 as similarity
from chunk_embedding e
order by e.embedding <=> %(vector)s::halfvec
limit %(top)s

-- name: search_passages
-- Hybrid retrieval in one statement: vector leg and BM25 leg, fused by reciprocal rank (Cormack 2009).
-- BM25's inverse document frequency is counted from the very postings that are read (Lucene's form).
with dense as (
  select chunk_id, similarity, row_number() over (order by similarity desc, chunk_id) as rank
  from (
    select e.chunk_id, (1 - (e.embedding <=> %(vector)s::halfvec))::float8 as similarity
    from chunk_embedding e
    order by e.embedding <=> %(vector)s::halfvec
    limit %(candidates)s
  ) nearest
), read as (
  select p.term, p.chunk_id, p.weight, count(*) over (partition by p.term) as df
  from posting p
  where p.term = any (%(terms)s)
), scored as (
  select chunk_id, sum(weight * ln(1 + (%(n_chunks)s::float8 - df + 0.5) / (df + 0.5)))::float8 as bm25
  from read
  group by chunk_id
  order by 2 desc, chunk_id
  limit %(candidates)s
), lexical as (
  select chunk_id, bm25, row_number() over (order by bm25 desc, chunk_id) as rank from scored
), fused as (
  select chunk_id, d.similarity, l.bm25,
         coalesce(1.0 / (%(rrf_k)s + d.rank), 0) + coalesce(1.0 / (%(rrf_k)s + l.rank), 0) as score
  from dense d full join lexical l using (chunk_id)
)
select f.chunk_id, c.source_id, s.title as source_title, s.url as source_url, c.text, c.start_s, c.end_s,
       c.speakers, f.score::float8 as score, f.similarity as dense, f.bm25 as lexical
from fused f
join chunk c on c.id = f.chunk_id and c.is_current
join source s on s.id = c.source_id
order by f.score desc, f.chunk_id
limit %(top)s

-- name: chunk_cues
-- The cues that a chunk's words came from, to find a quote's own second.
select c.id as chunk_id, u.text, u.start_s, u.end_s, u.speaker
from chunk c join cue u on u.source_id = c.source_id
where c.id = any (%(ids)s)
  and (c.start_s is null or (u.end_s >= c.start_s - 30 and u.start_s <= c.end_s + 30))
order by c.id, u.position

-- name: quarantine_input
insert into quarantine (kind, name, reason, content_hash, excerpt)
values (%(kind)s, %(name)s, %(reason)s, %(content_hash)s, %(excerpt)s)
on conflict (kind, name, content_hash) do nothing

-- name: close_quarantine
delete from quarantine where kind = %(kind)s and name = %(name)s

-- name: list_quarantine
select kind, name, reason, created_at from quarantine order by created_at, id limit %(top)s

-- name: insert_model_run
insert into model_run
  (run_type, model, prompt_version, input_ref, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok, error)
values
  (%(run_type)s, %(model)s, %(prompt_version)s, %(input_ref)s, %(n_items)s, %(tokens_in)s, %(tokens_out)s,
   %(cost_usd)s, %(latency_ms)s, %(is_ok)s, %(error)s)

-- name: count_terms
select term, count(*)::int as n from posting where term = any (%(terms)s) group by term
