-- Links in replies: whether one was proposed before a reply was drafted, addresses of our own that lead to a source and
-- count who follows them, and what visitors did then.

-- Decided before the draft, so that it keeps room; null where a decision is older than the columns.
alter table decision
  add column is_link_proposed boolean,
  add column link_reason text,
  add column price_usd numeric(12, 6) check (price_usd >= 0),
  add column price_with_link_usd numeric(12, 6) check (price_with_link_usd >= 0);

-- An address of ours, and the one address that it leads to, for ever: nothing that a visitor sends plays a part in it.
create table tracked_link (
  id bigint generated always as identity primary key,
  code text not null unique check (code ~ '^[0-9A-Za-z]{12,32}$'),
  -- as it stands in the reply
  address text not null unique,
  target text not null check (target ~ '^https?://[^[:space:]]+$'),
  post_id bigint not null references post,
  source_id bigint references source on delete set null,
  created_at timestamptz not null default now(),
  -- every draft of a post shares it
  unique (post_id, target)
);
create index tracked_link_source on tracked_link (source_id);
create function keep_tracked_link() returns trigger language plpgsql as $$
begin
  if (new.code, new.address, new.target, new.post_id) is distinct from (old.code, old.address, old.target, old.post_id) then
    raise exception 'link %: where an address leads cannot be changed', old.code using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger tracked_link_keep before update on tracked_link for each row execute function keep_tracked_link();

-- How often a link was followed: by day and by the site that it was followed from. Nothing about who.
create table link_visit (
  link_id bigint not null references tracked_link on delete cascade,
  day date not null,
  referrer_host text not null check (length(referrer_host) <= 253),
  is_bot boolean not null,
  visits bigint not null default 1 check (visits > 0),
  primary key (link_id, day, referrer_host, is_bot)
);

-- What visitors did, as the creator's own site told us, each once.
create table conversion (
  id bigint generated always as identity primary key,
  project_id bigint not null references project,
  external_id text not null check (length(external_id) between 1 and 200),
  link_id bigint not null references tracked_link on delete cascade,
  kind text not null check (length(kind) between 1 and 50),
  value_usd numeric(14, 4) not null check (value_usd >= 0),
  occurred_at timestamptz not null,
  created_at timestamptz not null default now(),
  unique (project_id, external_id)
);
create index conversion_link on conversion (link_id);

grant select, insert, delete on tracked_link to rejoinder_may_run;
grant select, insert, update on link_visit to rejoinder_may_run;
grant select, insert on conversion to rejoinder_may_run;
grant select on tracked_link to rejoinder_may_publish;
