-- What was asked to be read, step by step: fetch, extract, done.

-- name: enqueue_ingestion
-- Asking again for a name makes its row wait again, whoever holds it: what they bring is then out of date.
insert into ingestion (project_id, name, place, origin, url, page_url, chapters_url, raw_key, media_type, title,
                       language, published_at, feed_id, person_id, priority, addresses, step)
values (%(project_id)s, %(name)s, %(place)s, %(origin)s, %(url)s, %(page_url)s, %(chapters_url)s, %(raw_key)s,
        %(media_type)s, %(title)s, %(language)s, %(published_at)s, %(feed_id)s, %(person_id)s, %(priority)s,
        %(addresses)s, case when %(raw_key)s::text is null then 'fetch' else 'extract' end)
on conflict (project_id, name) do update
set place = coalesce(excluded.place, ingestion.place), origin = excluded.origin, url = excluded.url, page_url = excluded.page_url, chapters_url = excluded.chapters_url,
    raw_key = excluded.raw_key, chapters_key = null, media_type = excluded.media_type, title = excluded.title,
    language = excluded.language, published_at = excluded.published_at, feed_id = excluded.feed_id,
    person_id = excluded.person_id, priority = excluded.priority, addresses = excluded.addresses, step = excluded.step, is_forced = false,
    outcome = null, note = null, status = 'pending', attempts = 0, crashes = 0, last_error = null, due_at = now(),
    lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
returning id

-- name: lock_input_names
-- Two that bring files of one name at once would both take it.
select pg_advisory_xact_lock(21072, %(project_id)s::integer)

-- name: inputs_at
-- What came from this place before, and what has this name.
select name, place, origin, raw_key from ingestion
where project_id = %(project_id)s and (place = %(place)s or name = %(name)s)

-- name: names_in_use
select name from ingestion where project_id = %(project_id)s and name = any (%(names)s::text[])
union
select name from source where project_id = %(project_id)s and name = any (%(names)s::text[])

-- name: remember_place
update ingestion set place = %(place)s where project_id = %(project_id)s and name = %(name)s

-- name: input_is_known
-- Its source has this very content, nothing else waits under its name, and nothing was set aside since (its kept bytes
-- may be gone); or it lies in the inbox as it did when it could not be read.
select (
  exists (
    select from source
    where project_id = %(project_id)s and name = %(name)s and content_hash = %(content_hash)s and raw_key is not null)
  and not exists (
    select from ingestion
    where project_id = %(project_id)s and name = %(name)s and (step <> 'done' or outcome = 'quarantined'))
) or (
  %(origin)s::text = 'inbox' and exists (
    select from ingestion
    where project_id = %(project_id)s and name = %(name)s and outcome = 'quarantined' and raw_key = %(raw_key)s)
) as is_known

-- name: record_refused_input
-- Input that was not even taken in, with the reason.
insert into ingestion (project_id, name, place, origin, person_id, outcome, note, refused_step, step, status)
values (%(project_id)s, %(name)s, %(place)s, %(origin)s, %(person_id)s, 'quarantined', %(note)s, 'extract', 'done',
        'completed')
on conflict (project_id, name) do update
set place = coalesce(excluded.place, ingestion.place), origin = excluded.origin, refused_step = 'extract', person_id = excluded.person_id, outcome = 'quarantined', note = excluded.note,
    step = 'done', status = 'completed', attempts = 0, crashes = 0, last_error = null, lease_worker = null,
    lease_until = null, in_hand_at = null, updated_at = now()
returning id

-- name: load_ingestions
select i.id, i.project_id, i.name, i.origin, i.url, i.page_url, i.chapters_url, i.raw_key, i.chapters_key, i.media_type,
       i.title, i.language, i.published_at, i.is_forced, i.note, i.addresses, f.id as feed_id, f.etag, f.last_modified
from ingestion i left join feed f on f.project_id = i.project_id and f.name = i.name
where i.id = any (%(ids)s)

-- name: keep_fetched
update ingestion
set step = 'extract', status = 'pending', raw_key = %(raw_key)s, media_type = %(media_type)s,
    chapters_key = %(chapters_key)s, note = %(note)s, attempts = 0, crashes = 0, last_error = null, lease_worker = null,
    lease_until = null, in_hand_at = null, updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id

-- name: fetch_from
-- The feed offers another transcript for the item that was refused, or the bytes of the one at hand were lost.
update ingestion
set step = 'fetch', status = 'pending', url = %(url)s, media_type = %(media_type)s, language = %(language)s,
    raw_key = null, chapters_key = null, note = %(note)s, due_at = now(), attempts = 0, crashes = 0, last_error = null,
    lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id

-- name: finish_ingestion
update ingestion
set refused_step = case when %(outcome)s::text = 'quarantined' then step end, step = 'done', status = 'completed',
    outcome = %(outcome)s, note = %(note)s, is_forced = false,
    source_id = coalesce(%(source_id)s, source_id), attempts = 0, crashes = 0, last_error = null, lease_worker = null,
    lease_until = null, in_hand_at = null, updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id

-- name: extract_again
-- The raw bytes of a source are read anew, even if they did not change.
update ingestion
set step = 'extract', status = 'pending', outcome = null, note = null, is_forced = true, attempts = 0, crashes = 0,
    last_error = null, due_at = now(), lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
where project_id = %(project_id)s and name = %(name)s and raw_key is not null
returning id

-- name: fetch_again
-- From the best of its addresses: what was said of another link of it does not hold.
update ingestion
set step = 'fetch', status = 'pending', outcome = null, note = null, attempts = 0, crashes = 0, last_error = null,
    url = case when addresses -> 0 is null then url else addresses -> 0 ->> 'url' end,
    media_type = case when addresses -> 0 is null then media_type else addresses -> 0 ->> 'media_type' end,
    language = case when addresses -> 0 is null then language else addresses -> 0 ->> 'language' end,
    due_at = now(), lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
where project_id = %(project_id)s and name = %(name)s and url is not null
returning id

-- name: moment
select now() as moment

-- name: ingestions_since
select name, status, outcome, coalesce(note, last_error) as note
from ingestion
where project_id = %(project_id)s and updated_at >= %(since_at)s
order by id

-- name: find_feed
select id, name, url, title, is_followed from feed where project_id = %(project_id)s and name = %(name)s

-- name: follow_feed
-- Its next look is an interval away: this one was just had.
insert into feed (project_id, name, url, title, language, etag, last_modified, n_items, n_without_transcript,
                  checked_at, next_at)
values (%(project_id)s, %(name)s, %(url)s, %(title)s, %(language)s, %(etag)s, %(last_modified)s, %(n_items)s,
        %(n_without_transcript)s, now(), now() + make_interval(secs => %(interval_s)s))
on conflict (project_id, name) do update
set url = excluded.url, title = excluded.title, language = excluded.language, etag = excluded.etag,
    last_modified = excluded.last_modified, n_items = excluded.n_items,
    n_without_transcript = excluded.n_without_transcript, checked_at = now(), next_at = excluded.next_at
returning id

-- name: feed_is_unchanged
update feed set checked_at = now(), next_at = now() + make_interval(secs => %(interval_s)s) where id = %(id)s

-- name: items_of_feed
-- What is known of a feed's items, so that only new and changed ones are fetched.
select id, name, url, chapters_url, addresses, outcome, updated_at from ingestion where feed_id = %(feed_id)s

-- name: renew_addresses
update ingestion set url = %(url)s, chapters_url = %(chapters_url)s, addresses = %(addresses)s where id = %(id)s

-- name: leave_items
-- Without validators the server sends the feed whole, however little has changed.
update feed
set n_left = %(n_left)s, etag = case when %(n_left)s = 0 then etag end,
    last_modified = case when %(n_left)s = 0 then last_modified end
where id = %(id)s

-- name: enqueue_due_feeds
-- Feeds that are due wait to be fetched again; one that waits already is left alone.
with due as (
  update feed set next_at = now() + make_interval(secs => %(interval_s)s)
  where is_followed and next_at <= %(now)s
  returning project_id, name
)
update ingestion i
set step = 'fetch', status = 'pending', outcome = null, note = null, attempts = 0, crashes = 0, last_error = null,
    due_at = now(), lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
from due
where i.project_id = due.project_id and i.name = due.name and i.status in ('completed', 'dead')
returning i.id

-- name: count_due_feeds
select count(*)::int as due from feed where is_followed and next_at <= %(now)s

-- name: list_feeds
select f.id, f.name, f.title, f.is_followed, f.n_items, f.n_without_transcript, f.n_left, f.checked_at, f.next_at,
       i.status, coalesce(i.last_error, case when i.outcome = 'quarantined' then i.note end) as last_error
from feed f left join ingestion i on i.project_id = f.project_id and i.name = f.name
where f.project_id = %(project_id)s
order by f.name

-- name: set_feed_followed
update feed set is_followed = %(is_followed)s, next_at = case when %(is_followed)s then now() else next_at end
where project_id = %(project_id)s and name = %(name)s
returning id

-- name: count_by_step
-- Where everything stands on its way from input to searchable source.
select step, status, count(*)::int as n from (
  select step, status from ingestion where step <> 'done'
  union all
  select coalesce(refused_step, 'extract'), 'quarantined' from ingestion where outcome = 'quarantined'
  union all
  select step, status from source
) s
group by step, status
order by array_position(array['fetch', 'extract', 'chunk', 'embed', 'keywords', 'ready'], step), status
