-- name: delete_keywords
delete from keyword where source_id = %(source_id)s

-- name: insert_keyword
insert into keyword (source_id, term, score) values (%(source_id)s, %(term)s, %(score)s)

-- name: digest_hashes
-- What the sources' summaries were made from.
select source_id, input_hash from summary where source_id = any (%(ids)s)

-- name: upsert_source_summary
insert into summary (scope, source_id, epoch_id, text, method, input_hash, model, prompt_version, note)
select 'source', s.id, epoch_of(s.project_id, coalesce(s.published_at, s.created_at)), %(text)s, %(method)s, %(input_hash)s,
       %(model)s, %(prompt_version)s, %(note)s
from source s where s.id = %(source_id)s
on conflict (source_id) do update
set epoch_id = excluded.epoch_id, text = excluded.text, method = excluded.method, input_hash = excluded.input_hash,
    model = excluded.model, prompt_version = excluded.prompt_version, note = excluded.note, updated_at = now()
returning id

-- name: upsert_epoch_summary
insert into summary (scope, epoch_id, text, method, input_hash, model, prompt_version, note)
values ('epoch', %(epoch_id)s, %(text)s, %(method)s, %(input_hash)s, %(model)s, %(prompt_version)s, %(note)s)
on conflict (epoch_id) where scope = 'epoch' do update
set text = excluded.text, method = excluded.method, input_hash = excluded.input_hash,
    model = excluded.model, prompt_version = excluded.prompt_version, note = excluded.note, updated_at = now()
returning id

-- name: delete_summary_sentences
delete from summary_sentence where summary_id = %(summary_id)s

-- name: insert_summary_sentence
insert into summary_sentence (summary_id, position, source_id, text, start_s, end_s, speaker)
values (%(summary_id)s, %(position)s, %(source_id)s, %(text)s, %(start_s)s, %(end_s)s, %(speaker)s)

-- name: load_epochs
select e.id, coalesce(m.input_hash, '') as input_hash
from epoch e left join summary m on m.epoch_id = e.id and m.scope = 'epoch'
where e.id = any (%(ids)s)

-- name: epoch_sentences
-- What the sources of an epoch say in their own summaries, in the order in which they came out; twins say it once.
select t.source_id, t.text, t.start_s, t.end_s, t.speaker
from summary m
join source s on s.id = m.source_id and s.twin_of is null
join summary_sentence t on t.summary_id = m.id
where m.epoch_id = %(epoch_id)s and m.scope = 'source'
order by coalesce(s.published_at, s.created_at), s.id, t.position

-- name: epoch_keywords
-- The terms that stand for most of an epoch.
select k.term, (sum(k.score) / max(sum(k.score)) over ())::float8 as score
from summary m
join source s on s.id = m.source_id and s.twin_of is null
join keyword k on k.source_id = s.id
where m.epoch_id = %(epoch_id)s and m.scope = 'source'
group by k.term order by sum(k.score) desc, k.term limit %(top)s

-- name: complete_epoch
update epoch
set step = 'done', status = 'completed', attempts = 0, crashes = 0, last_error = null,
    lease_worker = null, lease_until = null, in_hand_at = null, updated_at = now()
where id = %(id)s and lease_worker = %(worker)s
returning id

-- name: list_epochs
-- The newest epochs of a project with what they say.
select e.id, e.starts_on, e.status, m.id as summary_id, m.text, m.method, m.updated_at,
       (select count(*)::int from summary o where o.epoch_id = e.id and o.scope = 'source') as n_sources
from epoch e left join summary m on m.epoch_id = e.id and m.scope = 'epoch'
where e.project_id = %(project_id)s order by e.starts_on desc limit %(top)s

-- name: summary_sentences
-- The statements of a summary in order, each with where it was said.
select t.text, t.source_id, s.title, s.url, t.start_s, t.end_s, t.speaker
from summary_sentence t join source s on s.id = t.source_id
where t.summary_id = %(summary_id)s order by t.position

-- name: best_keywords
-- The terms that stand most for their sources and least for all others: the score in the source where it is best,
-- lessened by how many of the sources have the term (inverse document frequency, 1 for a term of one source).
-- Twins count once; what stands far behind a source's best term is no subject of it.
with ready as (
  select id from source where status = 'completed' and twin_of is null
), size as (
  select count(*)::float8 as n from ready
), terms as (
  select mode() within group (order by k.term) as term, max(k.score)::float8 as score, count(*)::int as n_sources,
         array_agg(distinct k.source_id) as source_ids
  from keyword k join ready r on r.id = k.source_id
  where k.score >= 0.25
  group by lower(k.term)
)
select t.term, t.score * ln(1 + z.n / t.n_sources) / ln(1 + z.n) as score, t.n_sources, t.source_ids
from terms t, size z
order by score desc, t.term limit %(top)s

-- name: shared_keywords
-- The terms that most sources have among their keywords, each with its sources, and how many sources there are; twins
-- count once.
with ready as (
  select id from source where status = 'completed' and twin_of is null
)
select mode() within group (order by k.term) as term, array_agg(distinct k.source_id) as source_ids,
       (select count(*)::int from ready) as n_corpus
from keyword k join ready r on r.id = k.source_id
where k.score >= 0.25
group by lower(k.term)
order by count(*) desc, sum(k.score) desc, 1 limit %(top)s

-- name: embedding_coverage
-- How many current chunks have a vector in the index that searches read.
select count(*)::int as n_chunks, count(e.chunk_id)::int as n_embedded,
       round(100.0 * count(e.chunk_id) / greatest(count(*), 1), 2)::float8 as covered_pct
from chunk c
left join chunk_embedding e on e.chunk_id = c.id
  and e.embedding_index_id = (select id from embedding_index where state = 'active')
where c.is_current

-- name: embedding_coverage_of_sources
-- The same source by source, those that lack most first.
select s.id as source_id, s.title, count(*)::int as n_chunks, count(e.chunk_id)::int as n_embedded,
       round(100.0 * count(e.chunk_id) / count(*), 2)::float8 as covered_pct
from source s
join chunk c on c.source_id = s.id and c.is_current
left join chunk_embedding e on e.chunk_id = c.id
  and e.embedding_index_id = (select id from embedding_index where state = 'active')
group by s.id, s.title order by count(*) - count(e.chunk_id) desc, s.id limit %(top)s
