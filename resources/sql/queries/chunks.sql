-- name: move_chunks
-- A chunk whose text only stands elsewhere now keeps its row, its vector and its postings. The new index is negative
-- until the old ones are retired, since no two current chunks may have the same. The n-th of equal texts stays the n-th.
with fresh as (
  select chunk_index, content_hash, row_number() over (partition by content_hash order by chunk_index) as nth
  from unnest(%(indexes)s::int[], %(hashes)s::text[]) as g (chunk_index, content_hash)
), known as (
  select id, chunk_index, content_hash, row_number() over (partition by content_hash order by chunk_index) as nth
  from chunk where source_id = %(source_id)s and is_current
)
update chunk c set chunk_index = -1 - f.chunk_index
from known k join fresh f using (content_hash, nth)
where c.id = k.id and k.chunk_index <> f.chunk_index
  and not exists (
    select from chunk o where o.source_id = %(source_id)s and o.chunk_index = f.chunk_index
      and o.content_hash = f.content_hash)

-- name: retire_chunks
-- Those that the new cut no longer has; the database takes their vectors and postings out. Moved ones wait below 0.
update chunk set is_current = false
where source_id = %(source_id)s and is_current and chunk_index >= 0
  and (chunk_index, content_hash) not in (
    select * from unnest(%(indexes)s::int[], %(hashes)s::text[]))

-- name: settle_moved_chunks
update chunk set chunk_index = -1 - chunk_index
where source_id = %(source_id)s and is_current and chunk_index < 0

-- name: upsert_chunk
insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms, start_s, end_s, speakers, chapter,
                   language, named_text)
values (%(source_id)s, %(chunk_index)s, %(content_hash)s, %(text)s, %(n_tokens)s, %(n_terms)s, %(start_s)s,
        %(end_s)s, %(speakers)s, %(chapter)s, %(language)s, %(named_text)s)
on conflict (source_id, chunk_index, content_hash) do update
set is_current = true, start_s = excluded.start_s, end_s = excluded.end_s, speakers = excluded.speakers,
    n_terms = excluded.n_terms, chapter = excluded.chapter, language = excluded.language,
    named_text = excluded.named_text
returning id

-- name: delete_source_postings
select take_postings_out(array(select id from chunk where source_id = %(source_id)s and is_current))

-- name: insert_postings
-- One row per term of a chunk: terms, chunk ids, counts and the chunks' lengths are arrays of one length.
select put_postings_in(
  (select project_id from source where id = %(source_id)s),
  %(terms)s::text[], %(chunk_ids)s::bigint[], %(counts)s::int[], %(lengths)s::int[])

-- name: set_terms_version
update source set terms_version = %(version)s where id = %(source_id)s

-- name: queue_outdated_sources
-- Their postings are of an older analysis: cut and index them again. What did not change keeps its vector.
update source
set step = 'chunk', status = 'pending', attempts = 0, crashes = 0, due_at = now(), updated_at = now()
where terms_version < %(version)s and twin_of is null and status in ('pending', 'completed', 'failed') and step <> 'chunk'
