-- name: match_chunks
-- Which row each chunk of a new cut gets: the one that stood in its place with this text, or else, moved there, a
-- current one of the same text that has no place in the new cut (the n-th of equal texts for the n-th). What is left
-- out gets a new row. Postings of a current row are those of its text, names and language by the source's terms_version.
with fresh as (
  select g.chunk_index, g.content_hash, o.id
  from unnest(%(indexes)s::int[], %(hashes)s::text[]) as g (chunk_index, content_hash)
  left join chunk o on o.source_id = %(source_id)s and o.chunk_index = g.chunk_index and o.content_hash = g.content_hash
), homeless as (
  select chunk_index, content_hash, row_number() over (partition by content_hash order by chunk_index) as nth
  from fresh where id is null
), spare as (
  select c.id, c.content_hash, row_number() over (partition by c.content_hash order by c.chunk_index) as nth
  from chunk c
  where c.source_id = %(source_id)s and c.is_current and c.id not in (select id from fresh where id is not null)
), placed as (
  select chunk_index, id, false as is_moved from fresh where id is not null
  union all
  select h.chunk_index, s.id, true from homeless h join spare s using (content_hash, nth)
)
select p.chunk_index, p.id, p.is_moved, c.named_text, c.language,
       c.is_current and s.terms_version = %(version)s as has_postings
from placed p join chunk c on c.id = p.id join source s on s.id = c.source_id

-- name: move_chunks
-- A chunk whose text only stands elsewhere now keeps its row, its vector and its postings. The new index is negative
-- until the old ones are retired, since no two current chunks may have the same.
update chunk c set chunk_index = -1 - m.chunk_index
from unnest(%(ids)s::bigint[], %(indexes)s::int[]) as m (id, chunk_index)
where c.id = m.id

-- name: retire_chunks
-- Those that the new cut no longer has; the database takes their vectors and postings out. Moved ones wait below 0.
update chunk set is_current = false
where source_id = %(source_id)s and is_current and chunk_index >= 0
  and (chunk_index, content_hash) not in (
    select * from unnest(%(indexes)s::int[], %(hashes)s::text[]))

-- name: settle_moved_chunks
update chunk set chunk_index = -1 - chunk_index
where source_id = %(source_id)s and is_current and chunk_index < 0

-- name: update_chunks
-- What is not a chunk's text; n_terms is null where its terms stay. What did not change is not written.
update chunk c
set is_current = true, n_tokens = g.n_tokens, n_terms = coalesce(g.n_terms, c.n_terms), start_s = g.start_s,
    end_s = g.end_s, speakers = g.speakers, chapter = g.chapter, language = %(language)s, named_text = g.named_text
from json_to_recordset(%(chunks)s::json) as g (
  id bigint, n_tokens int, n_terms int, start_s float8, end_s float8, speakers text[], chapter text, named_text text)
where c.id = g.id
  and (c.is_current, c.n_tokens, c.n_terms, c.start_s, c.end_s, c.speakers, c.chapter, c.language, c.named_text)
    is distinct from
    (true, g.n_tokens, coalesce(g.n_terms, c.n_terms), g.start_s, g.end_s, g.speakers, g.chapter, %(language)s,
     g.named_text)

-- name: insert_chunks
insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms, start_s, end_s, speakers, chapter,
                   language, named_text)
select %(source_id)s, g.chunk_index, g.content_hash, g.text, g.n_tokens, g.n_terms, g.start_s, g.end_s, g.speakers,
       g.chapter, %(language)s, g.named_text
from json_to_recordset(%(chunks)s::json) as g (
  chunk_index int, content_hash text, text text, n_tokens int, n_terms int, start_s float8, end_s float8,
  speakers text[], chapter text, named_text text)
returning chunk_index, id

-- name: delete_postings
select take_postings_out(%(chunk_ids)s::bigint[])

-- name: insert_postings
-- chunk_ids and lengths are a chunk each; numbers (of a term), places (of a chunk), both from 1, and counts a posting.
select put_postings_in(
  (select project_id from source where id = %(source_id)s),
  %(terms)s::text[], %(chunk_ids)s::bigint[], %(lengths)s::int[],
  %(numbers)s::int[], %(places)s::int[], %(counts)s::int[])

-- name: set_terms_version
update source set terms_version = %(version)s where id = %(source_id)s

-- name: queue_outdated_sources
-- Their postings are of an older analysis: cut and index them again. What did not change keeps its vector.
update source
set step = 'chunk', status = 'pending', attempts = 0, crashes = 0, due_at = now(), updated_at = now()
where terms_version < %(version)s and twin_of is null and status in ('pending', 'completed', 'failed') and step <> 'chunk'
