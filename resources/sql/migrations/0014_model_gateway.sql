-- The model gateway: endpoints with their health, leases on their places, money spent, answers kept, attempts of calls.

create table model_endpoint (
  name text primary key,
  uri text not null,
  base_url text,
  capabilities text[] not null,
  max_concurrent integer not null check (max_concurrent >= 1),
  timeout_s real not null check (timeout_s > 0),
  -- null: not known, so nothing that counts money may call it
  price_in_usd_per_mtok numeric(12, 6) check (price_in_usd_per_mtok >= 0),
  price_out_usd_per_mtok numeric(12, 6) check (price_out_usd_per_mtok >= 0),
  price_as_of date,
  weight real not null default 1,
  is_enabled boolean not null default true,
  -- false: rejoinder.toml names it no more; the row stays for the runs that it answered
  is_configured boolean not null default true,
  -- circuit breaker: closed = called, open = left alone until opened_until, half_open = one probe is under way
  breaker text not null default 'closed' check (breaker in ('closed', 'open', 'half_open')),
  failures integer not null default 0,
  opened_until timestamptz,
  last_ok_at timestamptz,
  last_failed_at timestamptz,
  last_error text,
  check ((price_in_usd_per_mtok is null) = (price_out_usd_per_mtok is null)),
  check ((breaker = 'closed') = (opened_until is null))
);

-- A place at an endpoint, taken for one attempt. A lease is stale when its holder's advisory lock is free or its time
-- has run out. Unlogged: a crash of the server ends every holder, so every lease with it.
create unlogged table endpoint_lease (
  id bigint generated always as identity primary key,
  endpoint text not null references model_endpoint (name),
  worker integer not null,
  task text not null,
  creator_id bigint,
  reserved_usd numeric(14, 8) not null default 0,
  is_probe boolean not null default false,
  taken_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index endpoint_lease_endpoint on endpoint_lease (endpoint);

-- What was spent on models on a UTC day: in all, per task and per creator.
create table model_spend (
  day date not null,
  scope text not null check (scope in ('total', 'task', 'creator')),
  key text not null default '',
  spent_usd numeric(14, 8) not null default 0,
  primary key (day, scope, key)
);

-- Answers by the SHA-256 of everything that they depend on. checksum guards against damage: an answer that does not fit
-- it counts as none.
create table llm_cache (
  key bytea primary key check (length(key) = 32),
  reply text not null,
  checksum bytea not null check (length(checksum) = 32),
  size_bytes integer not null,
  created_at timestamptz not null default now(),
  used_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index llm_cache_used on llm_cache (used_at);
create index llm_cache_expires on llm_cache (expires_at);

alter table model_run
  add column endpoint text,
  add column task text,
  add column creator_id bigint references creator (id) on delete set null,
  add column arm text not null default 'champion' check (arm in ('champion', 'challenger')),
  add column is_cached boolean not null default false;

-- The fallback chain of a call: every attempt in order.
create table model_attempt (
  model_run_id bigint not null references model_run (id) on delete cascade,
  n smallint not null,
  endpoint text not null,
  model text not null,
  outcome text not null,
  latency_ms real not null,
  tokens_in integer not null,
  tokens_out integer not null,
  is_estimated boolean not null,
  cost_usd numeric(14, 8) not null,
  error text,
  primary key (model_run_id, n)
);

grant select, insert, update on model_endpoint, model_spend to rejoinder_may_run;
grant select, insert, update, delete on endpoint_lease, llm_cache to rejoinder_may_run;
grant select, insert on model_attempt to rejoinder_may_run;
