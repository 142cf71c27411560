-- Sources as they were read: their facts, cues and chapters; and what could not be read.

-- name: ensure_creator
insert into creator (name) values (%(name)s) on conflict (name) do update set name = excluded.name returning id

-- name: ensure_project
insert into project (creator_id, name) values (%(creator_id)s, %(name)s)
on conflict (creator_id, name) do update set name = excluded.name returning id

-- name: creator_of_project
select creator_id from project where id = %(project_id)s

-- name: find_source
select id, content_hash, raw_key, twin_of from source where project_id = %(project_id)s and name = %(name)s

-- name: upsert_source
-- What is read anew starts over at the step chunk.
insert into source (project_id, name, title, url, format, language, content_hash, duration_s, published_at, raw_key,
                    notes, signature, n_shingles)
values (%(project_id)s, %(name)s, %(title)s, %(url)s, %(format)s, %(language)s, %(content_hash)s, %(duration_s)s,
        %(published_at)s, %(raw_key)s, %(notes)s, %(signature)s, %(n_shingles)s)
on conflict (project_id, name) do update
set title = excluded.title, url = coalesce(excluded.url, source.url), format = excluded.format,
    language = excluded.language, content_hash = excluded.content_hash, duration_s = excluded.duration_s,
    published_at = coalesce(excluded.published_at, source.published_at), raw_key = excluded.raw_key,
    notes = excluded.notes, signature = excluded.signature, n_shingles = excluded.n_shingles, twin_of = null,
    awaits_twin = null,
    step = 'chunk', status = 'pending', attempts = 0, crashes = 0, last_error = null, due_at = now(),
    lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
returning id

-- name: update_source_facts
-- What is said about a source, where its content stayed as it was.
update source
set title = coalesce(%(title)s, title), url = coalesce(%(url)s, url),
    published_at = coalesce(%(published_at)s, published_at), raw_key = %(raw_key)s, updated_at = now()
where id = %(id)s

-- name: delete_cues
delete from cue where source_id = %(source_id)s

-- name: insert_cue
insert into cue (source_id, position, start_s, end_s, speaker, text)
values (%(source_id)s, %(position)s, %(start_s)s, %(end_s)s, %(speaker)s, %(text)s)

-- name: delete_chapters
delete from chapter where source_id = %(source_id)s

-- name: insert_chapter
insert into chapter (source_id, position, title, start_s, first_cue)
values (%(source_id)s, %(position)s, %(title)s, %(start_s)s, %(first_cue)s)

-- name: load_sources
select id, name, title, url, format, language, published_at from source where id = any (%(ids)s)

-- name: load_cues
select text, start_s, end_s, speaker from cue where source_id = %(source_id)s order by position

-- name: load_chapters
select title, start_s, first_cue from chapter where source_id = %(source_id)s order by position

-- name: hold_source
-- Until this transaction ends nobody else changes the source: held before any of its rows is touched, so that two who
-- save something of one source wait in line instead of for each other.
select id from source where id = %(id)s and lease_worker = %(worker)s for no key update

-- name: source_again
-- One step of a source is done anew, and those after it; one that waits for an earlier step comes to this one anyway.
update source
set step = case
      when array_position(array['chunk', 'embed', 'keywords', 'ready'], step)
        < array_position(array['chunk', 'embed', 'keywords', 'ready'], %(step)s) then step
      else %(step)s end,
    status = 'pending', attempts = 0, crashes = 0, last_error = null, due_at = now(),
    lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
where project_id = %(project_id)s and name = %(name)s and twin_of is null
returning id

-- name: quarantine_input
insert into quarantine (kind, name, reason, content_hash, excerpt)
values (%(kind)s, %(name)s, %(reason)s, %(content_hash)s, %(excerpt)s)
on conflict (kind, name, content_hash) do nothing

-- name: quarantine_source
-- With the place of its raw bytes, where they were kept; what was wrong with earlier bytes of that name is past.
with past as (
  delete from quarantine where kind = 'source' and name = %(name)s and content_hash <> %(content_hash)s
)
insert into quarantine (kind, name, reason, content_hash, excerpt, raw_key)
values ('source', %(name)s, %(reason)s, %(content_hash)s, %(excerpt)s, %(raw_key)s)
on conflict (kind, name, content_hash) do update set reason = excluded.reason, raw_key = excluded.raw_key

-- name: close_quarantine
delete from quarantine where kind = %(kind)s and name = %(name)s

-- name: list_quarantine
select kind, name, reason, created_at from quarantine order by created_at, id limit %(top)s

-- name: retire_all_chunks
-- A twin is not searched: the database takes its vectors and postings out.
update chunk set is_current = false where source_id = %(source_id)s and is_current

-- name: lock_twins
-- Sources of a project find their twins one after the other: two that come at once would not see each other.
select pg_advisory_xact_lock(21070, %(project_id)s::integer)

-- name: likely_twins
-- Sources that share hashes of their sketches, those that share most first, if neither is an excerpt of the other.
select s.id, s.n_shingles, s.signature, coalesce(s.duration_s, 0) > 0 as has_times
from source s,
  lateral (select count(*) as n from unnest(s.signature) h where h = any (%(hashes)s::bigint[])) shared
where s.project_id = %(project_id)s and s.id <> %(id)s and s.twin_of is null and s.awaits_twin is null
  and s.signature && %(hashes)s::bigint[]
  and s.n_shingles between %(n_shingles)s / 6 and 6 * %(n_shingles)s
order by shared.n desc, s.id limit %(top)s

-- name: make_twin
-- The source is finished: what it says is found in the one it is a twin of.
update source
set twin_of = %(twin_of)s, awaits_twin = null, step = 'ready', status = 'completed', attempts = 0, crashes = 0, last_error = null,
    lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
where id = %(id)s or twin_of = %(id)s

-- name: is_searched
-- It has chunks, and each of them a vector in the index that searches read.
select exists (select from chunk where source_id = %(id)s and is_current)
  and not exists (
    select from chunk c
    where c.source_id = %(id)s and c.is_current and not exists (
      select from chunk_embedding e join embedding_index x on x.id = e.embedding_index_id and x.state = 'active'
      where e.chunk_id = c.id)) as is_searched

-- name: await_twin
-- A better one is on its way: it goes on as it is, and is searched, until that one has its vectors.
update source set awaits_twin = %(better)s, updated_at = now() where id = %(id)s

-- name: awaiting_twins
select id from source where awaits_twin = %(id)s order by id

-- name: let_twins_stand_in
-- Where the better one was given up before it could be searched, and none is searched until it comes, the best of its
-- twins is cut and searched; that one takes over as soon as it is retried and has its vectors.
with lost as (
  select b.id from source b
  where b.id in (select twin_of from source where twin_of is not null)
    and b.project_id = %(project_id)s and b.status = 'dead' and b.step in ('chunk', 'embed')
    and not exists (select from source a where a.awaits_twin = b.id)
    and (not exists (select from chunk c where c.source_id = b.id and c.is_current) or exists (
      select from chunk c
      where c.source_id = b.id and c.is_current and not exists (
        select from chunk_embedding e join embedding_index x on x.id = e.embedding_index_id and x.state = 'active'
        where e.chunk_id = c.id)))
), best as (
  select distinct on (t.twin_of) t.id, t.twin_of from source t join lost on lost.id = t.twin_of
  order by t.twin_of, coalesce(t.duration_s, 0) > 0 desc, t.n_shingles desc nulls last, t.id
)
update source s
set twin_of = null, awaits_twin = best.twin_of, step = 'chunk', status = 'pending', attempts = 0, crashes = 0,
    last_error = null, due_at = now(), lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
from best where s.id = best.id
returning s.id

-- name: project_of_source
select project_id from source where id = %(id)s

-- name: free_twins
-- What was a twin of a source that has changed stands for itself again; what only awaited it goes on as it is.
update source
set twin_of = null, awaits_twin = null, step = case when twin_of is null then step else 'chunk' end,
    status = case when twin_of is null then status else 'pending' end,
    due_at = case when twin_of is null then due_at else now() end, updated_at = now()
where twin_of = %(id)s or awaits_twin = %(id)s
returning id, project_id, n_shingles, signature, coalesce(duration_s, 0) > 0 as has_times
