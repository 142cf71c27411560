-- name: retire_chunks
update chunk set is_current = false where source_id = %(source_id)s and is_current

-- name: upsert_chunk
insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms, start_s, end_s, speakers)
values (%(source_id)s, %(chunk_index)s, %(content_hash)s, %(text)s, %(n_tokens)s, %(n_terms)s, %(start_s)s,
        %(end_s)s, %(speakers)s)
on conflict (source_id, chunk_index, content_hash) do update
set is_current = true, start_s = excluded.start_s, end_s = excluded.end_s, speakers = excluded.speakers
returning id

-- name: delete_old_postings
delete from posting where chunk_id in (select id from chunk where source_id = %(source_id)s)

-- name: insert_posting
insert into posting (term, chunk_id, weight) values (%(term)s, %(chunk_id)s, %(weight)s)

-- name: average_terms
select coalesce(avg(n_terms), 0)::float8 as average from chunk where is_current
