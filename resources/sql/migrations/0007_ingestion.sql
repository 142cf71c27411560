-- Ingestion as work that can be claimed: what was asked for, its raw bytes, and what became of it.

-- An RSS or Atom feed that is looked at again and again. Its address may hold a key, so it is never shown as it is.
create table feed (
  id bigint generated always as identity primary key,
  project_id bigint not null references project,
  name text not null,
  url text not null,
  title text,
  language text,
  etag text,
  last_modified text,
  n_items integer not null default 0,
  n_without_transcript integer not null default 0,
  is_followed boolean not null default true,
  checked_at timestamptz,
  next_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  unique (project_id, name)
);
create index feed_due on feed (next_at) where is_followed;

-- The work columns (step ... last_error) are those of source and post: one claim serves them all.
-- One row per name: asking again for the same name makes its row wait again.
create table ingestion (
  id bigint generated always as identity primary key,
  project_id bigint not null references project,
  name text not null,
  origin text not null check (origin in ('file', 'inbox', 'upload', 'url', 'feed', 'api')),
  url text,
  page_url text,
  chapters_url text,
  raw_key text,
  chapters_key text,
  media_type text,
  title text,
  language text,
  published_at timestamptz,
  feed_id bigint references feed on delete set null,
  source_id bigint references source on delete set null,
  person_id bigint references person,
  is_forced boolean not null default false,
  outcome text check (outcome in ('new', 'changed', 'unchanged', 'quarantined', 'feed')),
  note text,
  created_at timestamptz not null default now(),
  step text not null check (step in ('fetch', 'extract', 'done')),
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
  check ((step = 'done') = (status = 'completed')),
  check ((step = 'done') = (outcome is not null)),
  check (step <> 'fetch' or url is not null),
  check (step <> 'extract' or raw_key is not null)
);
create index ingestion_due on ingestion (step, crashes, priority desc, id)
  where status in ('pending', 'failed', 'processing');
create index ingestion_of_source on ingestion (source_id);
create index ingestion_of_feed on ingestion (feed_id);

-- What a source was read from, what was cleaned while reading, and whether another source says the same.
alter table source add column raw_key text;
alter table source add column notes text[] not null default '{}';
alter table source add column signature bigint[];
alter table source add column n_shingles integer;
alter table source add column twin_of bigint references source on delete set null;
alter table source add check (twin_of <> id);
alter table source add check ((signature is null) = (n_shingles is null));
create index source_twins on source (twin_of) where twin_of is not null;
create index source_signature on source using gin (signature);

create table chapter (
  source_id bigint not null references source on delete cascade,
  position integer not null,
  title text not null,
  start_s double precision,
  first_cue integer,
  primary key (source_id, position),
  check (start_s is not null or first_cue is not null)
);

-- Where the bytes are that could not be read.
alter table quarantine add column raw_key text;

grant select, insert, update on feed, ingestion to rejoinder_may_run;
grant select, insert, update, delete on chapter to rejoinder_may_run;
