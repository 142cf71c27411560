-- Retrieval. A chunk that is no longer current has neither vector nor postings, so no statement has to ask.

-- name: nearest_chunks
-- The chunks of a project nearest to a vector: what the similarity floor looks at.
select v.chunk_id, (1 - (v.embedding <=> %(vector)s::halfvec))::float8 as similarity
from {vectors} v
where v.project_id = %(project_id)s
order by v.embedding <=> %(vector)s::halfvec
limit %(top)s

-- name: scan_exactly
-- For the rest of this transaction vectors are compared one by one: what the graph finds is measured against it.
select set_config('enable_indexscan', 'off', true)

-- name: corpus_languages
select language from corpus_language where project_id = %(project_id)s order by language

-- name: is_narrow
-- Whether the filters leave so few chunks that comparing their vectors one by one is cheaper than walking the graph
-- past all that they leave out; counted no further than that. Sources and languages are counted by their btrees alone,
-- whosever they are: too many is no error.
select not exists (
  select
  from {vectors} v
  left join chunk c on c.id = v.chunk_id
  where (%(source_ids)s::bigint[] is not null or %(language)s::text is not null or v.project_id = %(project_id)s)
    and (%(source_ids)s::bigint[] is null or v.source_id = any (%(source_ids)s::bigint[]))
    and (%(language)s::text is null or v.language = %(language)s::text)
    and (%(published_after)s::timestamptz is null or v.published_at >= %(published_after)s::timestamptz)
    and (%(published_before)s::timestamptz is null or v.published_at < %(published_before)s::timestamptz)
    and (%(speakers)s::text[] is null or c.speakers && %(speakers)s::text[])
  offset %(narrow)s limit 1
) as is_narrow

-- name: search_passages
-- Hybrid retrieval in one statement: vector leg and BM25 leg, each score brought to [0, 1] among what either found,
-- and their weighted sum (Bruch, Gai & Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023).
-- BM25 is Lucene's, with the statistics of this moment. The rarest terms of the query, as many as have max_postings
-- postings together, bring the candidates; the commoner ones only add to the best of those (after Turtle & Flood,
-- "Query evaluation: strategies and optimizations", 1995: MaxScore), so that the work does not grow with the corpus.
-- Where filters are narrow, vectors are compared one by one (a sum is no order that the graph has) and words are counted
-- in those chunks only; where they are wide, the best by word are looked at one after the other until enough are left.
with nearest as materialized (
  select v.chunk_id, (1 - (v.embedding <=> %(vector)s::halfvec))::float8 as similarity
  from {vectors} v
  left join chunk c on c.id = v.chunk_id
  where v.project_id = %(project_id)s
    and (%(source_ids)s::bigint[] is null or v.source_id = any (%(source_ids)s::bigint[]))
    and (%(language)s::text is null or v.language = %(language)s::text)
    and (%(published_after)s::timestamptz is null or v.published_at >= %(published_after)s::timestamptz)
    and (%(published_before)s::timestamptz is null or v.published_at < %(published_before)s::timestamptz)
    and (%(speakers)s::text[] is null or c.speakers && %(speakers)s::text[])
  order by case when %(is_narrow)s::boolean then (v.embedding <=> %(vector)s::halfvec) + 0
                else v.embedding <=> %(vector)s::halfvec end
  limit %(candidates)s
), size as materialized (
  select n_chunks::float8 as n_chunks, n_terms::float8 / n_chunks as mean_terms
  from corpus_size where project_id = %(project_id)s and n_chunks > 0
), wanted as materialized (
  select t.id, ln(1 + (s.n_chunks - t.n_chunks + 0.5) / (t.n_chunks + 0.5)) as idf, s.mean_terms,
         row_number() over rarest = 1 or sum(t.n_chunks) over rarest <= %(max_postings)s as is_leading
  from term t, size s
  where t.project_id = %(project_id)s and t.term = any (%(terms)s::text[]) and t.n_chunks > 0
  window rarest as (order by t.n_chunks, t.id)
  order by t.n_chunks, t.id
  limit %(max_terms)s
), counted as (
  select p.chunk_id, sum(w.idf * bm25_weight(p.tf, p.n_terms, w.mean_terms, %(k1)s, %(b)s)) as bm25
  from wanted w
  join posting p on p.term_id = w.id
  where w.is_leading and (not %(is_narrow)s::boolean or p.chunk_id in (
    select c.id
    from chunk c
    join source o on o.id = c.source_id
    where o.project_id = %(project_id)s
      and (%(source_ids)s::bigint[] is null or c.source_id = any (%(source_ids)s::bigint[]))
      and (%(language)s::text is null or coalesce(c.language, o.language) = %(language)s::text)
      and (%(published_after)s::timestamptz is null or o.published_at >= %(published_after)s::timestamptz)
      and (%(published_before)s::timestamptz is null or o.published_at < %(published_before)s::timestamptz)
      and (%(speakers)s::text[] is null or c.speakers && %(speakers)s::text[])))
  group by p.chunk_id
  order by bm25 desc, p.chunk_id
), led as materialized (
  select d.chunk_id, d.bm25
  from counted d
  where not %(is_wide)s::boolean or (
    select (%(source_ids)s::bigint[] is null or c.source_id = any (%(source_ids)s::bigint[]))
      and (%(language)s::text is null or coalesce(c.language, o.language) = %(language)s::text)
      and (%(published_after)s::timestamptz is null or o.published_at >= %(published_after)s::timestamptz)
      and (%(published_before)s::timestamptz is null or o.published_at < %(published_before)s::timestamptz)
      and (%(speakers)s::text[] is null or c.speakers && %(speakers)s::text[])
    from chunk c join source o on o.id = c.source_id
    where c.id = d.chunk_id)
  order by d.bm25 desc, d.chunk_id
  limit %(led)s
), found as materialized (
  select chunk_id, null::float8 as led, similarity from nearest
  union all
  select chunk_id, bm25, null from led where not exists (select from nearest n where n.chunk_id = led.chunk_id)
), weighed as materialized (
  -- Every term that the leaders did not count, and for what only the vector leg found, every term.
  select f.chunk_id, f.similarity, (coalesce(f.led, 0) + coalesce(rest.bm25, 0))::float8 as bm25
  from found f
  left join lateral (
    select sum(w.idf * bm25_weight(p.tf, p.n_terms, w.mean_terms, %(k1)s, %(b)s)) as bm25
    from wanted w
    join posting p on p.term_id = w.id and p.chunk_id = f.chunk_id
    where f.led is null or not w.is_leading
  ) rest on true
), ranked as (
  select chunk_id, similarity, bm25, row_number() over (order by bm25 desc, chunk_id) as place from weighed
), both_scores as (
  select r.chunk_id, r.bm25,
         coalesce(r.similarity, (
           select 1 - (v.embedding <=> %(vector)s::halfvec) from {vectors} v where v.chunk_id = r.chunk_id
         )) as similarity
  from ranked r
  where r.similarity is not null or r.place <= %(candidates)s
), fused as (
  select chunk_id, similarity, bm25,
         %(dense_weight)s::float8 * coalesce(
           (similarity - min(similarity) over ()) / nullif(max(similarity) over () - min(similarity) over (), 0), 0)
         + (1 - %(dense_weight)s::float8) * coalesce(bm25 / nullif(max(bm25) over (), 0), 0) as score,
         rank() over (order by similarity desc nulls last) as dense_rank,
         case when bm25 > 0 then rank() over (order by bm25 desc) end as lexical_rank
  from both_scores
), best as materialized (
  select *, row_number() over (order by score desc, chunk_id) as fused_rank
  from fused order by score desc, chunk_id limit %(top)s
)
select f.chunk_id, c.source_id, s.title as source_title, s.url as source_url, c.text, c.start_s, c.end_s,
       c.speakers, f.score::float8 as score, f.similarity::float8 as dense, f.bm25 as lexical, c.chunk_index,
       c.n_tokens, c.chapter, coalesce(c.language, s.language) as language, s.published_at,
       f.dense_rank, f.lexical_rank, f.fused_rank, c.named_text
from best f
join chunk c on c.id = f.chunk_id
join source s on s.id = c.source_id
order by f.score desc, f.chunk_id

-- name: chunk_cues
-- The cues that a chunk's words came from, to find a quote's own second.
select c.id as chunk_id, u.text, u.start_s, u.end_s, u.speaker
from chunk c join cue u on u.source_id = c.source_id
where c.id = any (%(ids)s)
  and (c.start_s is null or (u.end_s >= c.start_s - 30 and u.start_s <= c.end_s + 30))
order by c.id, u.position

-- name: term_counts
-- In how many chunks of a project each term stands, and how many chunks there are.
select t.term, t.n_chunks as n, s.n_chunks
from term t join corpus_size s using (project_id)
where t.project_id = %(project_id)s and t.term = any (%(terms)s::text[]) and t.n_chunks > 0
