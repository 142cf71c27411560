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

-- name: count_terms
select term, count(*)::int as n from posting where term = any (%(terms)s) group by term
