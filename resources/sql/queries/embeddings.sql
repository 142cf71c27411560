-- name: chunks_without_embedding
select c.id, c.text
from chunk c
where c.source_id = %(source_id)s and c.is_current
  and not exists (
    select from chunk_embedding e where e.chunk_id = c.id and e.embedding_index_id = %(index_id)s)
order by c.chunk_index

-- name: insert_chunk_embedding
insert into chunk_embedding (chunk_id, embedding_index_id, embedding)
values (%(chunk_id)s, %(index_id)s, %(embedding)s) on conflict do nothing

-- name: ensure_embedding_index
insert into embedding_index (model, dim, is_active)
values (%(model)s, %(dim)s, not exists (select from embedding_index where is_active))
on conflict (model) do update set dim = excluded.dim
returning id
