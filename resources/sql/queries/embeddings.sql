-- Vectors of chunks: a table per embedding index ({vectors}), and which index searches read.

-- name: chunks_without_embedding
select c.id, coalesce(c.named_text, c.text) as indexed_text
from chunk c
where c.source_id = %(source_id)s and c.is_current
  and not exists (select from {vectors} v where v.chunk_id = c.id)
order by c.chunk_index

-- name: any_chunks_without_embedding
-- What an index that is built in the background still lacks, a batch at a time: chunks of every source, in order.
select c.id, coalesce(c.named_text, c.text) as indexed_text
from chunk c
where c.is_current and c.id > %(after_id)s
  and not exists (select from {vectors} v where v.chunk_id = c.id)
order by c.id
limit %(top)s

-- name: count_current_chunks
select count(*)::int as n from chunk where is_current

-- name: count_chunks_without_embedding
select count(*)::int as n
from chunk c
where c.is_current and not exists (select from {vectors} v where v.chunk_id = c.id)

-- name: insert_chunk_embedding
-- A chunk that was replaced or named otherwise while its vector was computed gets none; nor does one that is being
-- changed at this moment, so that no vector outlives the text that it is of. It is found without a vector later.
insert into {vectors} (chunk_id, project_id, source_id, language, published_at, embedding)
select c.id, s.project_id, s.id, coalesce(c.language, s.language), s.published_at, %(embedding)s::halfvec
from chunk c join source s on s.id = c.source_id
where c.id = %(chunk_id)s and c.is_current and coalesce(c.named_text, c.text) = %(indexed_text)s
for share of c skip locked
on conflict do nothing

-- name: ensure_embedding_index
select ensure_embedding_index(%(model)s, %(dim)s) as id

-- name: active_embedding_index
select id from embedding_index where state = 'active'

-- name: embedding_model_of
-- The model of an index; without one, of the active index.
select model from embedding_index
where case when %(index_id)s::bigint is null then state = 'active' else id = %(index_id)s::bigint end

-- name: list_embedding_indexes
select i.id, i.model, i.dim, i.state, i.created_at, i.activated_at, s.vectors is not null as has_vectors
from embedding_index i left join stored_embedding_index s on s.id = i.id
order by i.id

-- name: hold_index_build
-- Whoever holds it builds the index; it goes with the connection.
select pg_try_advisory_lock(21069, %(index_id)s::integer)

-- name: build_embedding_graph
-- Over vectors that are there already: minutes for some 100,000, so lift the statement timeout first.
select index_chunk_vectors(%(index_id)s)

-- name: activate_embedding_index
-- Fails while the index lacks a vector of a current chunk; the one before is retired and keeps its vectors.
select activate_embedding_index(%(index_id)s)

-- name: drop_embedding_index
-- Not the active one. Its row stays, for the posts' vectors and for what refers to it.
select drop_chunk_vectors(%(index_id)s)

-- name: lift_statement_timeout
-- For the rest of this transaction.
select set_config('statement_timeout', '0', true)
