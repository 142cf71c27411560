-- Work columns (step ... last_error) are the same on source, post and measurement: one claim serves all three.
create table source (
  id bigint generated always as identity primary key,
  project_id bigint not null references project,
  name text not null,
  title text not null,
  url text,
  format text not null,
  language text,
  content_hash text not null,
  duration_s double precision,
  published_at timestamptz,
  created_at timestamptz not null default now(),
  step text not null default 'chunk' check (step in ('chunk', 'embed', 'keywords', 'ready')),
  status text not null default 'pending'
    check (status in ('pending', 'processing', 'completed', 'failed', 'dead')),
  priority integer not null default 0,
  due_at timestamptz not null default now(),
  attempts integer not null default 0,
  crashes integer not null default 0,
  lease_worker integer,
  lease_until timestamptz,
  in_hand_at timestamptz,
  last_error text,
  updated_at timestamptz not null default now(),
  unique (project_id, name),
  check ((status = 'processing') = (lease_worker is not null)),
  check ((lease_worker is null) = (lease_until is null)),
  check ((step = 'ready') = (status = 'completed'))
);
create index source_due on source (step, crashes, priority desc, id) where status in ('pending', 'failed', 'processing');

create table cue (
  source_id bigint not null references source on delete cascade,
  position integer not null,
  start_s double precision,
  end_s double precision,
  speaker text,
  text text not null,
  primary key (source_id, position)
);

create table chunk (
  id bigint generated always as identity primary key,
  source_id bigint not null references source on delete cascade,
  chunk_index integer not null,
  content_hash text not null,
  text text not null,
  n_tokens integer not null,
  n_terms integer not null,
  start_s double precision,
  end_s double precision,
  speakers text[] not null default '{}',
  is_current boolean not null default true,
  created_at timestamptz not null default now(),
  unique (source_id, chunk_index, content_hash)
);
create unique index chunk_current on chunk (source_id, chunk_index) where is_current;

create table embedding_index (
  id bigint generated always as identity primary key,
  model text not null unique,
  dim integer not null,
  is_active boolean not null default false,
  created_at timestamptz not null default now()
);
create unique index embedding_index_active on embedding_index (is_active) where is_active;

create table chunk_embedding (
  chunk_id bigint not null references chunk on delete cascade,
  embedding_index_id bigint not null references embedding_index,
  embedding halfvec(384) not null,
  primary key (chunk_id, embedding_index_id)
);
create index chunk_embedding_hnsw on chunk_embedding using hnsw (embedding halfvec_cosine_ops);

-- BM25 postings: weight is the term-frequency part, the inverse document frequency is counted when asked.
create table posting (
  term text not null,
  chunk_id bigint not null references chunk on delete cascade,
  weight real not null,
  primary key (term, chunk_id)
) ;
create index posting_chunk on posting (chunk_id);

create table summary (
  id bigint generated always as identity primary key,
  source_id bigint not null unique references source on delete cascade,
  scope text not null default 'source' check (scope = 'source'),
  text text not null,
  created_at timestamptz not null default now()
);

create table keyword (
  source_id bigint not null references source on delete cascade,
  term text not null,
  score real not null check (score > 0 and score <= 1),
  primary key (source_id, term)
);

create table listening_rule (
  id bigint generated always as identity primary key,
  channel_id bigint not null references channel,
  tag text not null,
  query text not null,
  is_active boolean not null default true,
  updated_at timestamptz not null default now(),
  unique (channel_id, tag)
);

grant select, insert, update on source, chunk, embedding_index, chunk_embedding, summary, keyword, listening_rule
  to rejoinder_may_run;
grant select, insert, update, delete on cue, posting to rejoinder_may_run;
grant delete on keyword, summary, listening_rule, chunk_embedding to rejoinder_may_run;
grant select on source, chunk, listening_rule to rejoinder_may_publish;
