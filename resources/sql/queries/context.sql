-- name: vectors_of_chunks
select v.chunk_id, v.embedding::vector as embedding from {vectors} v where v.chunk_id = any (%(ids)s)

-- name: summaries_of_sources
select m.source_id, s.title, m.text
from summary m join source s on s.id = m.source_id
where m.source_id = any (%(source_ids)s) and m.scope = 'source'

-- name: count_searched_sources
-- How many sources a question is put to, and how many of a project cannot be searched yet.
select count(*) filter (where s.step in ('keywords', 'ready')
         and (%(source_ids)s::bigint[] is null or s.id = any (%(source_ids)s::bigint[]))
         and (%(published_after)s::timestamptz is null or s.published_at >= %(published_after)s::timestamptz)
         and (%(published_before)s::timestamptz is null or s.published_at < %(published_before)s::timestamptz))::int
         as searched,
       count(*) filter (where s.step not in ('keywords', 'ready'))::int as waiting
from source s where s.project_id = %(project_id)s

-- name: find_sources_by_words
-- Sources whose name or title holds the words, the shortest title first.
select s.id, s.name, s.title from source s
where s.project_id = %(project_id)s and position(lower(%(words)s) in lower(s.name || ' ' || s.title)) > 0
order by length(s.title), s.id limit %(top)s
