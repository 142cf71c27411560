create table person (
  id bigint generated always as identity primary key,
  name text not null unique check (name = lower(name) and length(name) between 1 and 64),
  display_name text not null,
  role text not null check (role in ('viewer', 'editor', 'approver', 'admin')),
  password_hash text,
  is_simulated boolean not null default false,
  is_active boolean not null default true,
  failed_sign_ins integer not null default 0,
  locked_until timestamptz,
  created_at timestamptz not null default now(),
  check (password_hash is not null or is_simulated)
);

-- A simulated person can never pass for a real one.
create function keep_person_kind() returns trigger language plpgsql as $$
begin
  if new.is_simulated is distinct from old.is_simulated or new.name is distinct from old.name then
    raise exception 'who % is cannot be changed', old.name using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger person_kind before update of is_simulated, name on person
  for each row execute function keep_person_kind();

create table audit_event (
  id bigint generated always as identity primary key,
  person_id bigint references person,
  actor text not null,
  action text not null,
  entity_type text not null,
  entity_id bigint,
  diff jsonb not null default '{}',
  ip_address inet,
  created_at timestamptz not null default now()
);
create index audit_event_entity on audit_event (entity_type, entity_id);
create trigger audit_event_append_only before update or delete on audit_event
  for each row execute function refuse_change();
create trigger audit_event_no_truncate before truncate on audit_event
  for each statement execute function refuse_change();

create table creator (
  id bigint generated always as identity primary key,
  name text not null unique,
  created_at timestamptz not null default now()
);

create table project (
  id bigint generated always as identity primary key,
  creator_id bigint not null references creator,
  name text not null,
  created_at timestamptz not null default now(),
  unique (creator_id, name)
);

create table channel (
  id bigint generated always as identity primary key,
  project_id bigint not null references project,
  name text not null unique,
  platform text not null check (platform in ('x', 'reddit')),
  account text not null,
  base_url text,
  is_sandbox boolean not null,
  is_enabled boolean not null default true,
  policy jsonb not null,
  communities text[] not null default '{}',
  created_at timestamptz not null default now()
);

-- A simulated reviewer may decide for sandbox channels only, so what a channel is can't be changed later.
create function keep_channel_kind() returns trigger language plpgsql as $$
begin
  if (new.is_sandbox, new.platform) is distinct from (old.is_sandbox, old.platform) then
    raise exception 'what kind of channel % is cannot be changed', old.name using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger channel_kind before update on channel for each row execute function keep_channel_kind();

create table channel_read_credential (
  channel_id bigint primary key references channel,
  secret jsonb not null,
  updated_at timestamptz not null default now()
);
create table channel_write_credential (
  channel_id bigint primary key references channel,
  secret jsonb not null,
  updated_at timestamptz not null default now()
);

create table cursor (
  channel_id bigint not null references channel,
  name text not null,
  value jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (channel_id, name)
);

create table rate_window (
  channel_id bigint not null references channel,
  action text not null,
  name text not null,
  limit_count integer not null check (limit_count > 0),
  used_count integer not null default 0 check (used_count >= 0),
  length_s integer not null check (length_s > 0),
  reset_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (channel_id, action, name)
);

create table opt_out (
  platform text not null,
  author text not null,
  reason text not null,
  created_at timestamptz not null default now(),
  primary key (platform, author)
);

create table notification (
  id bigint generated always as identity primary key,
  kind text not null,
  message text not null,
  entity_type text,
  entity_id bigint,
  created_at timestamptz not null default now(),
  read_at timestamptz
);

create table quarantine (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('source', 'post')),
  name text not null,
  reason text not null,
  content_hash text not null,
  excerpt text not null,
  created_at timestamptz not null default now(),
  unique (kind, name, content_hash)
);

create table dead_letter (
  id bigint generated always as identity primary key,
  item_table text not null,
  item_id bigint not null,
  step text not null,
  reason text not null,
  created_at timestamptz not null default now(),
  revived_at timestamptz
);
create index dead_letter_open on dead_letter (item_table, item_id) where revived_at is null;

create table model_run (
  id bigint generated always as identity primary key,
  run_type text not null check (run_type in ('embed', 'generate', 'classify')),
  model text not null,
  prompt_version text,
  input_ref text,
  n_items integer not null,
  tokens_in integer not null,
  tokens_out integer not null,
  cost_usd numeric(12, 6) not null,
  latency_ms real not null,
  is_ok boolean not null,
  error text,
  created_at timestamptz not null default now()
);
create index model_run_created on model_run (created_at);

create table prompt_version (
  version text primary key check (length(version) = 12),
  task text not null,
  name text not null,
  body text not null,
  is_champion boolean not null default false,
  created_at timestamptz not null default now()
);

create table model_version (
  id bigint generated always as identity primary key,
  name text not null,
  data_hash text not null,
  parameters jsonb not null,
  metrics jsonb not null,
  mlflow_run_id text,
  is_champion boolean not null default false,
  created_at timestamptz not null default now(),
  unique (name, data_hash)
);
create unique index model_version_champion on model_version (name) where is_champion;

grant select, insert, update on
  person, creator, project, channel, channel_read_credential, cursor, rate_window, opt_out, notification,
  quarantine, dead_letter, model_run, prompt_version, model_version
  to rejoinder_may_run;
grant delete on quarantine, cursor to rejoinder_may_run;
grant select, insert on audit_event to rejoinder_may_run;
-- The publisher keeps the pace of a channel and tells people what went wrong; accounts and channels it only
-- looks at, and of an account only what the approval gate asks for.
grant select, insert, update on rate_window to rejoinder_may_publish;
grant select, insert on notification to rejoinder_may_publish;
grant select on channel, opt_out to rejoinder_may_publish;
grant select (id, role, is_active, is_simulated) on person to rejoinder_may_publish;
-- The application may store a write credential through this function, only the publisher may read one.
create function store_write_credential(of_channel bigint, new_secret jsonb) returns void
language sql security definer set search_path = public as $$
  insert into channel_write_credential (channel_id, secret) values (of_channel, new_secret)
  on conflict (channel_id) do update set secret = excluded.secret, updated_at = now()
$$;
revoke all on function store_write_credential from public;
grant execute on function store_write_credential to rejoinder_may_run;
grant select on channel_write_credential to rejoinder_may_publish;
