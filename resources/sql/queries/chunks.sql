-- name: chunks_to_match
-- What a new cut of a source may keep: its current chunks, and replaced ones that the new cut has again in the same place.
-- Postings of a current chunk are of its text, names and language, by the analysis that the source's terms_version tells.
-- Compared by a hashed list and not joined: a join that is planned for a small source compares a large one pair by pair.
select c.id, c.chunk_index, c.content_hash, c.is_current, c.named_text, c.language,
       c.is_current and s.terms_version = %(version)s as has_postings
from chunk c join source s on s.id = c.source_id
where c.source_id = %(source_id)s
  and (c.is_current or (c.chunk_index, c.content_hash) in (
    select * from unnest(%(indexes)s::int[], %(hashes)s::text[])))
order by c.chunk_index

-- name: move_chunks
-- A chunk whose text only stands elsewhere now keeps its row, its vector and its postings. The new index is negative
-- until the old ones are retired, since no two current chunks may have the same.
update chunk c set chunk_index = -1 - m.chunk_index
from unnest(%(ids)s::bigint[], %(indexes)s::int[]) as m (id, chunk_index)
where c.id = m.id

-- name: retire_chunks
-- Those that the new cut no longer has; the database takes their vectors and postings out.
update chunk set is_current = false where id = any (%(ids)s::bigint[])

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
