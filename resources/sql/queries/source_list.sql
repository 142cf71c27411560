-- What people see of sources: the list, one source's page, feeds.

-- name: list_sources
-- Every name that was asked for or read, with where it stands; the step is the input's until it has been read.
with known as (
  select coalesce(i.name, s.name) as name, s.id as source_id, i.id as ingestion_id,
         case when i.step <> 'done' or s.id is null then i.step else s.step end as step,
         case when i.step <> 'done' or s.id is null then i.status else s.status end as status,
         case when i.step <> 'done' or s.id is null then i.last_error else s.last_error end as last_error,
         case when i.step <> 'done' or s.id is null then i.attempts else s.attempts end as attempts,
         i.outcome, i.note, i.origin, coalesce(s.title, i.title) as title, s.url, s.format,
         coalesce(s.language, i.language) as language, s.duration_s,
         coalesce(s.published_at, i.published_at) as published_at, s.twin_of, coalesce(s.notes, '{}') as notes,
         greatest(i.updated_at, s.updated_at) as changed_at
  from (select * from ingestion where project_id = %(project_id)s) i
  full join (select * from source where project_id = %(project_id)s) s on s.name = i.name
  where coalesce(i.outcome, '') <> 'feed'
), chosen as (
  select * from known
  where (%(search)s::text is null or title ilike %(search)s or name ilike %(search)s)
    and (%(ingestion_id)s::bigint is null or ingestion_id = %(ingestion_id)s)
    and case %(show)s::text
      when 'ready' then step = 'ready' and twin_of is null
      when 'under way' then status in ('pending', 'processing') or (status = 'failed' and step <> 'ready')
      when 'trouble' then outcome = 'quarantined' or status in ('failed', 'dead')
      when 'twins' then twin_of is not null
      else true end
)
select c.*, t.name as twin_name, t.title as twin_title,
       (select count(*)::int from cue where source_id = c.source_id) as n_cues,
       (select count(*)::int from chunk where source_id = c.source_id and is_current) as n_chunks,
       (select count(*)::int from chunk k join chunk_embedding e on e.chunk_id = k.id
          join embedding_index x on x.id = e.embedding_index_id and x.state = 'active'
        where k.source_id = c.source_id and k.is_current) as n_embedded
from (select *, count(*) over ()::int as total from chosen order by changed_at desc, name limit %(top)s offset %(skip)s) c
left join source t on t.id = c.twin_of
order by c.changed_at desc, c.name

-- name: source_summary
select text from summary where source_id = %(source_id)s

-- name: source_keywords
select term, score from keyword where source_id = %(source_id)s order by score desc, term limit %(top)s

-- name: source_speakers
select speaker, count(*)::int as n from cue
where source_id = %(source_id)s and speaker is not null
group by speaker order by count(*) desc, speaker limit %(top)s

-- name: source_begins
select text, start_s, speaker from cue where source_id = %(source_id)s order by position limit %(top)s

-- name: names_of_twins
select name, title from source where twin_of = %(source_id)s order by name
