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

-- name: quarantine_input
insert into quarantine (kind, name, reason, content_hash, excerpt)
values (%(kind)s, %(name)s, %(reason)s, %(content_hash)s, %(excerpt)s)
on conflict (kind, name, content_hash) do nothing

-- name: close_quarantine
delete from quarantine where kind = %(kind)s and name = %(name)s

-- name: list_quarantine
select kind, name, reason, created_at from quarantine order by created_at, id limit %(top)s
