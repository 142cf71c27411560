-- Chunks and postings written set by set: a source of thousands of chunks is saved again, or deleted, in one go.

-- Only the functions below write postings, and they hold the chunks that they write for. Looking up chunk and term for
-- every posting took twice as long as writing it, and the terms' counts were written anew for every chunk deleted.
alter table posting drop constraint posting_term_id_fkey;
alter table posting drop constraint posting_chunk_id_fkey;
-- Counts change with every save and stand in no index: with room on the page their new versions need no index entry.
alter table term set (fillfactor = 80);
-- A chunk that evidence refers to cannot be deleted; finding out took a scan of all evidence per chunk.
create index evidence_chunk on evidence (chunk_id);

-- Count the chunks' terms out. Whoever calls this holds the chunks, so nobody else deletes the same postings. Writers
-- of one project's counts go one after the other, so that no two can hold terms that the other waits for; they wait only
-- from the counts on. The project is the terms' own: the source may be gone already.
create or replace function take_postings_out(chunk_ids bigint[]) returns void language plpgsql security definer
  set search_path = public set plan_cache_mode = force_custom_plan set work_mem = '64MB' as $$
declare
  gone_terms integer[];
  gone_counts bigint[];
  of_term integer[];
  lengths integer[];
begin
  with gone as (
    delete from posting where chunk_id = any (chunk_ids) returning term_id, chunk_id, n_terms
  ), by_term as (
    select term_id, count(*) as n from gone group by term_id
  ), by_chunk as (
    select min(term_id) as term_id, min(n_terms) as n_terms from gone group by chunk_id
  )
  select t.ids, t.counts, c.terms, c.lengths into gone_terms, gone_counts, of_term, lengths
  from (select array_agg(term_id) as ids, array_agg(n) as counts from by_term) t,
       (select array_agg(term_id) as terms, array_agg(n_terms) as lengths from by_chunk) c;
  if gone_terms is null then
    return;
  end if;
  perform pg_advisory_xact_lock(21068, p.project_id::integer)
  from (select distinct t.project_id from term t where t.id = any (of_term) order by 1) p;
  update term t set n_chunks = t.n_chunks - g.n
  from unnest(gone_terms, gone_counts) as g (id, n) where t.id = g.id;
  update corpus_size z set n_chunks = z.n_chunks - g.n_chunks, n_terms = z.n_terms - g.n_terms
  from (
    select t.project_id, count(*) as n_chunks, sum(c.n_terms) as n_terms
    from unnest(of_term, lengths) as c (term_id, n_terms) join term t on t.id = c.term_id group by t.project_id
  ) g
  where z.project_id = g.project_id;
end $$;

-- Count chunks' terms in. Terms stands for itself, chunk_ids and lengths (the chunks' numbers of terms) for each other;
-- numbers (of a term), places (of a chunk), both from 1, and counts are a posting each. A chunk that is not current gets none.
drop function put_postings_in;
create function put_postings_in(
  of_project bigint, terms text[], chunk_ids bigint[], lengths integer[],
  numbers integer[], places integer[], counts integer[]
) returns void language plpgsql security definer
  set search_path = public set plan_cache_mode = force_custom_plan set work_mem = '64MB' as $$
declare
  term_ids integer[];
  of_number bigint[];
begin
  perform from chunk where id = any (chunk_ids) for share;
  perform pg_advisory_xact_lock(21068, of_project::integer);
  insert into corpus_language (project_id, language)
  select distinct of_project, coalesce(c.language, s.language, 'en')
  from chunk c join source s on s.id = c.source_id where c.id = any (chunk_ids)
  on conflict do nothing;
  with held as materialized (
    select c.id, h.n_terms, h.place
    from unnest(chunk_ids, lengths) with ordinality as h (id, n_terms, place) join chunk c on c.id = h.id and c.is_current
  ), given as materialized (
    select g.number, h.id as chunk_id, g.tf, h.n_terms
    from unnest(numbers, places, counts) as g (number, place, tf) join held h on h.place = g.place
  ), spread as materialized (
    select w.term, w.number, g.n
    from (select number, count(*) as n from given group by number) g
    join unnest(terms) with ordinality as w (term, number) on w.number = g.number
  ), known as (
    update term t set n_chunks = t.n_chunks + s.n from spread s where t.project_id = of_project and t.term = s.term
  ), new as (
    insert into term (project_id, term, n_chunks)
    select of_project, s.term, s.n from spread s
    where not exists (select from term t where t.project_id = of_project and t.term = s.term)
  )
  insert into corpus_size (project_id, n_chunks, n_terms)
  select of_project, count(*), coalesce(sum(h.n_terms), 0) from held h where h.n_terms > 0
  on conflict (project_id) do update
  set n_chunks = corpus_size.n_chunks + excluded.n_chunks, n_terms = corpus_size.n_terms + excluded.n_terms;
  -- How many terms are new cannot be foreseen, so what joins them is planned when their rows are there.
  select array_agg(t.id), array_agg(w.number) into term_ids, of_number
  from unnest(terms) with ordinality as w (term, number) join term t on t.project_id = of_project and t.term = w.term;
  insert into posting (term_id, chunk_id, tf, n_terms)
  select t.id, c.id, least(g.tf, 32767), h.n_terms
  from unnest(numbers, places, counts) as g (number, place, tf)
  join unnest(term_ids, of_number) as t (id, number) on t.number = g.number
  join unnest(chunk_ids, lengths) with ordinality as h (id, n_terms, place) on h.place = g.place
  join chunk c on c.id = h.id and c.is_current
  order by 1, 2;
end $$;

-- A chunk that is no longer current is found by neither leg; one whose names changed not as it was before; one that
-- turned out to be in another language not by the words of the former, and its vectors are filtered by the new one.
create or replace function forget_retired_chunks() returns trigger language plpgsql security definer
  set search_path = public as $$
declare
  vectors text;
  unlike bigint[];
  unworded bigint[];
  relabelled bigint[];
begin
  -- Planned anew each time: a plan that was made for one changed chunk compares thousands pair by pair.
  execute
    'select array_agg(n.id) filter (where not n.is_current or n.named_text is distinct from o.named_text),
            array_agg(n.id) filter (
              where not n.is_current or (n.named_text, n.language) is distinct from (o.named_text, o.language)),
            array_agg(n.id) filter (where n.is_current and n.language is distinct from o.language)
     from after_change n join before_change o on o.id = n.id where o.is_current'
    into unlike, unworded, relabelled;
  for vectors in select i.vectors from stored_embedding_index i where unlike is not null or relabelled is not null loop
    execute format('delete from %I where chunk_id = any ($1)', vectors) using unlike;
    execute format(
      'update %I v set language = coalesce(c.language, s.language) from chunk c join source s on s.id = c.source_id
       where v.chunk_id = any ($1) and c.id = v.chunk_id
         and v.language is distinct from coalesce(c.language, s.language)', vectors) using relabelled;
  end loop;
  if unworded is not null then
    perform take_postings_out(unworded);
  end if;
  return null;
end $$;

drop trigger chunk_deleted on chunk;
drop function forget_deleted_chunk;
create function forget_deleted_chunks() returns trigger language plpgsql security definer set search_path = public as $$
begin
  perform take_postings_out(array(select id from gone));
  return null;
end $$;
create trigger chunk_deleted after delete on chunk referencing old table as gone
  for each statement execute function forget_deleted_chunks();

-- The graph is built by several processes where they have shared memory for all of it, which a container often has not
-- (64 MB of /dev/shm), and by one where they have not.
create or replace function index_chunk_vectors(index_id bigint) returns void language plpgsql security definer
  set search_path = public set maintenance_work_mem = '64MB' as $$
declare
  vectors text := chunk_vector_table(index_id);
  build text := format(
    'create index if not exists %I on %I using hnsw (embedding halfvec_cosine_ops)', vectors || '_hnsw', vectors);
  n_bytes bigint;
begin
  execute format('select count(*) * (2 * i.dim + 400) from %I, embedding_index i where i.id = $1 group by i.dim', vectors)
    into n_bytes using index_id;
  perform set_config('maintenance_work_mem', greatest(64, least(1024, coalesce(n_bytes, 0) / 1000000)) || 'MB', true);
  begin
    execute build;
  exception when disk_full or out_of_memory then
    raise warning 'the graph of embedding index % is built by one process: %', index_id, sqlerrm
      using hint = 'More shared memory makes it faster: docker run --shm-size, shm_size in a compose file.';
    perform set_config('max_parallel_maintenance_workers', '0', true);
    execute build;
  end;
end $$;

revoke all on function put_postings_in, forget_deleted_chunks from public;
grant execute on function put_postings_in to rejoinder_may_run;
