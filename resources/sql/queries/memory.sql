-- name: delete_keywords
delete from keyword where source_id = %(source_id)s

-- name: insert_keyword
insert into keyword (source_id, term, score) values (%(source_id)s, %(term)s, %(score)s)

-- name: upsert_summary
insert into summary (source_id, text) values (%(source_id)s, %(text)s)
on conflict (source_id) do update set text = excluded.text, created_at = now()

-- name: best_keywords
select k.term, max(k.score) as score, count(*)::int as n_sources
from keyword k join source s on s.id = k.source_id
where s.status = 'completed'
group by k.term order by max(k.score) desc, k.term limit %(top)s
