-- Search at scale: a table of vectors per embedding index, so that a change of model is built beside and switched at
-- once, and BM25 postings whose statistics follow the corpus.

-- A project's language and chapter of a chunk stand with it; terms_version says which analysis its source's postings
-- are of (rejoinder.text.terms.TERMS_VERSION): what is older is indexed again.
-- named_text has speakers' names in the text and is what is embedded and indexed; null where there are none.
alter table chunk add column chapter text, add column language text, add column named_text text;
alter table source add column terms_version integer not null default 0;

-- Exactly one index is active once there is any: searches read it. A building one is filled beside it; a retired
-- one keeps its vectors, so that a switch can be taken back, until they are dropped.
alter table embedding_index add column state text not null default 'building'
  check (state in ('building', 'active', 'retired'));
alter table embedding_index add column activated_at timestamptz;
update embedding_index set state = 'active', activated_at = created_at where is_active;
drop index embedding_index_active;
alter table embedding_index drop column is_active;
create unique index embedding_index_active on embedding_index (state) where state = 'active';
alter table embedding_index add check (dim between 1 and 4000);
revoke insert, update on embedding_index from rejoinder_may_run;

-- Vectors of posts are only ever looked up by post, so any dimension will do and no index is kept.
alter table post_embedding alter column embedding type halfvec;

create function chunk_vector_table(index_id bigint) returns text language sql immutable as $$
  select 'chunk_vector_' || index_id
$$;

-- The embedding indexes whose vectors exist.
create view stored_embedding_index as
select i.*, chunk_vector_table(i.id) as vectors
from embedding_index i
where to_regclass(chunk_vector_table(i.id)) is not null;

-- Which chunk has a vector in which index; made anew whenever a table of vectors comes or goes.
create function draw_chunk_embedding() returns void language plpgsql security definer set search_path = public as $$
declare
  parts text;
begin
  select string_agg(format('select chunk_id, %s::bigint from %I', id, vectors), ' union all ' order by id) into parts
  from stored_embedding_index;
  execute 'create or replace view chunk_embedding (chunk_id, embedding_index_id) as '
    || coalesce(parts, 'select null::bigint, null::bigint where false');
  grant select on chunk_embedding to rejoinder_may_run;
end $$;

-- The vectors of one index, one row per current chunk, with what searches filter by.
create function create_chunk_vectors(index_id bigint, dim integer) returns void language plpgsql security definer
  set search_path = public as $$
declare
  vectors text := chunk_vector_table(index_id);
begin
  if to_regclass(vectors) is not null then
    return;
  end if;
  execute format(
    'create table %I (
      chunk_id bigint primary key references chunk on delete cascade,
      project_id bigint not null references project,
      source_id bigint not null,
      language text,
      published_at timestamptz,
      embedding halfvec(%s) not null)', vectors, dim);
  execute format('create index %I on %I (project_id, published_at)', vectors || '_project', vectors);
  execute format('create index %I on %I (source_id)', vectors || '_source', vectors);
  execute format('create index %I on %I (language)', vectors || '_language', vectors);
  execute format('grant select, insert, update, delete on %I to rejoinder_may_run', vectors);
  perform draw_chunk_embedding();
end $$;

-- The graph that nearest neighbours are found with. Building it over vectors that are there is several times faster
-- than growing it vector by vector; with memory for all of it, faster again.
create function index_chunk_vectors(index_id bigint) returns void language plpgsql security definer
  set search_path = public set maintenance_work_mem = '64MB' as $$
declare
  vectors text := chunk_vector_table(index_id);
  n_bytes bigint;
begin
  execute format('select count(*) * (2 * i.dim + 400) from %I, embedding_index i where i.id = $1 group by i.dim', vectors)
    into n_bytes using index_id;
  perform set_config('maintenance_work_mem', greatest(64, least(1024, coalesce(n_bytes, 0) / 1000000)) || 'MB', true);
  execute format(
    'create index if not exists %I on %I using hnsw (embedding halfvec_cosine_ops)', vectors || '_hnsw', vectors);
end $$;

create function drop_chunk_vectors(index_id bigint) returns void language plpgsql security definer
  set search_path = public as $$
begin
  -- An index that is being made active at this moment is seen as such.
  perform pg_advisory_xact_lock(21067, hashtext('embedding_index'));
  if exists (select from embedding_index where id = index_id and state = 'active') then
    raise exception 'embedding index % is active: its vectors stay', index_id using errcode = 'object_in_use';
  end if;
  update embedding_index set state = 'retired' where id = index_id;
  -- The view must let go of the table before it can be dropped.
  execute 'create or replace view chunk_embedding (chunk_id, embedding_index_id) as'
    ' select null::bigint, null::bigint where false';
  execute format('drop table if exists %I', chunk_vector_table(index_id));
  perform draw_chunk_embedding();
end $$;

-- The index of a model, made where there is none; the first of all is active from the start.
create function ensure_embedding_index(of_model text, of_dim integer) returns bigint language plpgsql security definer
  set search_path = public as $$
declare
  known embedding_index;
begin
  select * into known from embedding_index where model = of_model;
  if not found then
    perform pg_advisory_xact_lock(21067, hashtext('embedding_index'));
    insert into embedding_index (model, dim, state, activated_at)
    select of_model, of_dim, case when any_active then 'building' else 'active' end,
           case when any_active then null else now() end
    from (select exists (select from embedding_index where state = 'active') as any_active) s
    on conflict (model) do nothing;
    select * into known from embedding_index where model = of_model;
  end if;
  if known.dim <> of_dim then
    raise exception 'vectors of model % have % dimensions, not %', of_model, known.dim, of_dim
      using errcode = 'check_violation';
  end if;
  -- A model that comes back: what its vectors lack is made before searches read them again.
  update embedding_index set state = 'building' where id = known.id and state = 'retired';
  if to_regclass(chunk_vector_table(known.id)) is null then
    perform create_chunk_vectors(known.id, of_dim);
    if known.state = 'active' then
      perform index_chunk_vectors(known.id);
    end if;
  end if;
  return known.id;
end $$;

-- Make an index the one that searches read: once every current chunk of a source that has been embedded has a vector
-- in it. The one before is retired and keeps its vectors.
create function activate_embedding_index(index_id bigint) returns void language plpgsql security definer
  set search_path = public as $$
declare
  n_missing bigint;
begin
  perform pg_advisory_xact_lock(21067, hashtext('embedding_index'));
  perform index_chunk_vectors(index_id);
  execute format(
    'select count(*) from chunk c join source s on s.id = c.source_id
     where c.is_current and s.step in (''keywords'', ''ready'')
       and not exists (select from %I v where v.chunk_id = c.id)', chunk_vector_table(index_id)) into n_missing;
  if n_missing > 0 then
    raise exception 'embedding index % lacks the vectors of % chunks', index_id, n_missing
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  update embedding_index set state = 'retired' where state = 'active' and id <> index_id;
  update embedding_index set state = 'active', activated_at = now() where id = index_id and state <> 'active';
end $$;

-- What stood in the one table of vectors moves to a table per index.
create table moved_embedding as
select e.* from chunk_embedding e join chunk c on c.id = e.chunk_id where c.is_current;
drop table chunk_embedding;
create function chunk_embedding_moves() returns void language plpgsql as $$
declare
  index_id bigint;
  index_dim integer;
begin
  for index_id, index_dim in select id, dim from embedding_index order by id loop
    perform create_chunk_vectors(index_id, index_dim);
    execute format(
      'insert into %I (chunk_id, project_id, source_id, language, published_at, embedding)
       select m.chunk_id, s.project_id, s.id, s.language, s.published_at, m.embedding
       from moved_embedding m join chunk c on c.id = m.chunk_id join source s on s.id = c.source_id
       where m.embedding_index_id = $1', chunk_vector_table(index_id)) using index_id;
    perform index_chunk_vectors(index_id);
  end loop;
end $$;
select chunk_embedding_moves();
drop function chunk_embedding_moves;
drop table moved_embedding;
select draw_chunk_embedding();

-- BM25. A term stands once per project with the number of current chunks that have it; a posting has the counts, not
-- a weight, so that every search weighs with the statistics of that moment.
drop table posting;
create table term (
  id integer generated always as identity primary key,
  project_id bigint not null references project,
  term text not null,
  n_chunks integer not null,
  unique (project_id, term)
);
create table posting (
  term_id integer not null references term,
  chunk_id bigint not null references chunk on delete cascade,
  tf smallint not null check (tf > 0),
  n_terms integer not null check (n_terms >= tf),
  primary key (term_id, chunk_id) include (tf, n_terms)
);
create index posting_chunk on posting (chunk_id);
create table corpus_size (
  project_id bigint primary key references project,
  n_chunks bigint not null,
  n_terms bigint not null
);
create table corpus_language (
  project_id bigint not null references project,
  language text not null,
  primary key (project_id, language)
);

-- What the count of a term in a text is worth: f (k1 + 1) / (f + k1 (1 - b + b len/mean)). A plain expression, so that
-- the planner puts it in place of the call.
create function bm25_weight(tf smallint, n_terms integer, mean_terms float8, k1 float8, b float8) returns float8
  language sql immutable parallel safe as $$
  select tf * (k1 + 1) / (tf + k1 * (1 - b + b * n_terms / mean_terms))
$$;

-- Count the chunks' terms out. Writers of one project go one after the other, so that no two can hold terms that the
-- other waits for. The project is the terms' own: the source may be gone already.
create function take_postings_out(chunk_ids bigint[]) returns void language plpgsql security definer
  set search_path = public as $$
begin
  perform pg_advisory_xact_lock(21068, p.project_id::integer)
  from (select distinct t.project_id from posting o join term t on t.id = o.term_id
        where o.chunk_id = any (chunk_ids) order by 1) p;
  with gone as (
    delete from posting where chunk_id = any (chunk_ids) returning term_id, chunk_id, n_terms
  ), uncounted as (
    update term t set n_chunks = t.n_chunks - g.n
    from (select term_id, count(*) as n from gone group by term_id) g where t.id = g.term_id
  )
  update corpus_size z set n_chunks = z.n_chunks - g.n_chunks, n_terms = z.n_terms - g.n_terms
  from (
    select d.project_id, count(*) as n_chunks, sum(d.n_terms) as n_terms
    from (select distinct t.project_id, o.chunk_id, o.n_terms from gone o join term t on t.id = o.term_id) d
    group by d.project_id
  ) g
  where z.project_id = g.project_id;
end $$;

-- Terms, chunks and counts are arrays of one length: a row per term of a chunk.
create function put_postings_in(
  of_project bigint, terms text[], chunk_ids bigint[], counts integer[], lengths integer[]
) returns void language plpgsql security definer set search_path = public as $$
begin
  perform pg_advisory_xact_lock(21068, of_project::integer);
  insert into corpus_language (project_id, language)
  select distinct of_project, coalesce(c.language, s.language, 'en')
  from chunk c join source s on s.id = c.source_id where c.id = any (chunk_ids)
  on conflict do nothing;
  with given as (
    select * from unnest(terms, chunk_ids, counts, lengths) as g(term, chunk_id, tf, n_terms)
  ), counted as (
    insert into term (project_id, term, n_chunks)
    select of_project, g.term, count(*) from given g group by g.term
    on conflict (project_id, term) do update set n_chunks = term.n_chunks + excluded.n_chunks
    returning id, term
  ), put as (
    insert into posting (term_id, chunk_id, tf, n_terms)
    select t.id, g.chunk_id, least(g.tf, 32767), g.n_terms from given g join counted t on t.term = g.term
  )
  insert into corpus_size (project_id, n_chunks, n_terms)
  select of_project, count(*), coalesce(sum(d.n_terms), 0)
  from (select distinct g.chunk_id, g.n_terms from given g) d
  on conflict (project_id) do update
  set n_chunks = corpus_size.n_chunks + excluded.n_chunks, n_terms = corpus_size.n_terms + excluded.n_terms;
end $$;

-- A chunk that is no longer current is found by neither leg, and one whose names changed not as it was before.
create function forget_retired_chunks() returns trigger language plpgsql security definer
  set search_path = public as $$
declare
  vectors text;
  gone bigint[] := array(
    select n.id from after_change n join before_change o on o.id = n.id
    where o.is_current and (not n.is_current or n.named_text is distinct from o.named_text));
begin
  if cardinality(gone) > 0 then
    for vectors in select i.vectors from stored_embedding_index i loop
      execute format('delete from %I where chunk_id = any ($1)', vectors) using gone;
    end loop;
    perform take_postings_out(gone);
  end if;
  return null;
end $$;
create trigger chunk_retired after update on chunk
  referencing old table as before_change new table as after_change
  for each statement execute function forget_retired_chunks();

create function forget_deleted_chunk() returns trigger language plpgsql security definer set search_path = public as $$
begin
  perform take_postings_out(array[old.id]);
  return old;
end $$;
create trigger chunk_deleted before delete on chunk for each row execute function forget_deleted_chunk();

-- What searches filter by follows the source it was copied from.
create function copy_source_filters() returns trigger language plpgsql security definer set search_path = public as $$
declare
  vectors text;
begin
  for vectors in select i.vectors from stored_embedding_index i loop
    execute format(
      'update %I v set language = coalesce(c.language, $2), published_at = $3 from chunk c
       where v.source_id = $1 and c.id = v.chunk_id', vectors) using new.id, new.language, new.published_at;
  end loop;
  return null;
end $$;
create trigger source_filters after update of language, published_at on source
  for each row when ((old.language, old.published_at) is distinct from (new.language, new.published_at))
  execute function copy_source_filters();
create function keep_source_project() returns trigger language plpgsql as $$
begin
  raise exception 'source % stays in its project', old.id using errcode = 'insufficient_privilege';
end $$;
create trigger source_project before update of project_id on source
  for each row when (old.project_id <> new.project_id) execute function keep_source_project();

revoke all on function
  draw_chunk_embedding, create_chunk_vectors, index_chunk_vectors, drop_chunk_vectors, ensure_embedding_index,
  activate_embedding_index, take_postings_out, put_postings_in, forget_retired_chunks, forget_deleted_chunk,
  copy_source_filters
  from public;
grant execute on function
  create_chunk_vectors, index_chunk_vectors, drop_chunk_vectors, ensure_embedding_index, activate_embedding_index,
  take_postings_out, put_postings_in
  to rejoinder_may_run;
grant select on term, posting, corpus_size, corpus_language, stored_embedding_index to rejoinder_may_run;
