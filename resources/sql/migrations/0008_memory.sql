-- Memory: what a source says, and what everything of a month says, each statement with where it was said.

-- An epoch is a calendar month of a project: that of a source's publication, or else of its arrival.
-- The work columns (step ... last_error) are those of source and post: one claim serves them all.
create table epoch (
  id bigint generated always as identity primary key,
  project_id bigint not null references project,
  starts_on date not null check (extract(day from starts_on) = 1),
  created_at timestamptz not null default now(),
  step text not null default 'summarise' check (step in ('summarise', 'done')),
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
  unique (project_id, starts_on),
  check ((status = 'processing') = (lease_worker is not null)),
  check ((lease_worker is null) = (lease_until is null)),
  check ((step = 'done') = (status = 'completed'))
);
create index epoch_due on epoch (step, crashes, priority desc, id) where status in ('pending', 'failed', 'processing');

-- The epoch of a moment, made where there is none.
create function epoch_of(of_project bigint, moment timestamptz) returns bigint language sql set timezone = 'UTC' as $$
  insert into epoch (project_id, starts_on) values (of_project, date_trunc('month', moment)::date)
  on conflict (project_id, starts_on) do nothing;
  select id from epoch where project_id = of_project and starts_on = date_trunc('month', moment)::date
$$;

-- A source's summary counts in an epoch; an epoch has one of its own. input_hash tells what a summary was made from
-- and by which method: as long as it stays, so does the text.
alter table summary alter column source_id drop not null;
alter table summary drop constraint summary_scope_check;
alter table summary add column epoch_id bigint references epoch on delete cascade;
alter table summary add column method text not null default '';
alter table summary add column input_hash text not null default '';
alter table summary add column updated_at timestamptz not null default now();
update summary m set epoch_id = epoch_of(s.project_id, coalesce(s.published_at, s.created_at))
from source s where s.id = m.source_id;
alter table summary alter column epoch_id set not null;
alter table summary add check (scope in ('source', 'epoch'));
alter table summary add check ((scope = 'source') = (source_id is not null));
create unique index summary_of_epoch on summary (epoch_id) where scope = 'epoch';
create index summary_in_epoch on summary (epoch_id) where scope = 'source';

-- Statements in order. text is as the summary has it: plain, or a language model's words for the sentence there.
create table summary_sentence (
  summary_id bigint not null references summary on delete cascade,
  position integer not null,
  source_id bigint not null references source on delete cascade,
  text text not null,
  start_s double precision,
  end_s double precision,
  speaker text,
  primary key (summary_id, position)
);
create index summary_sentence_source on summary_sentence (source_id);

-- The epoch has to be summarised (again). Who has it in hand loses its lease and comes too late to save.
create function reopen_epoch(of_epoch bigint) returns void language sql as $$
  update epoch set step = 'summarise', status = 'pending', due_at = now(), attempts = 0, crashes = 0,
    lease_worker = null, lease_until = null, in_hand_at = null, last_error = null, updated_at = now()
  where id = of_epoch
$$;

create function reopen_epoch_of_summary() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' and old.scope = 'source' then
    perform reopen_epoch(old.epoch_id);
  end if;
  if tg_op <> 'DELETE' and new.scope = 'source' and (tg_op = 'INSERT' or new.epoch_id <> old.epoch_id) then
    perform reopen_epoch(new.epoch_id);
  end if;
  return null;
end $$;
create trigger summary_made after insert or delete on summary
  for each row execute function reopen_epoch_of_summary();
create trigger summary_changed after update on summary for each row
  when ((old.input_hash, old.epoch_id) is distinct from (new.input_hash, new.epoch_id))
  execute function reopen_epoch_of_summary();

-- A source that got another date counts in another epoch; a twin counts in none.
create function follow_source_date() returns trigger language plpgsql security definer set search_path = public as $$
begin
  update summary set epoch_id = epoch_of(new.project_id, coalesce(new.published_at, new.created_at))
  where source_id = new.id;
  perform reopen_epoch(epoch_id) from summary where source_id = new.id and old.twin_of is distinct from new.twin_of;
  return null;
end $$;
create trigger source_epoch after update of published_at, twin_of on source for each row
  when ((old.published_at, old.twin_of) is distinct from (new.published_at, new.twin_of))
  execute function follow_source_date();

grant select, insert, update on epoch to rejoinder_may_run;
grant select, insert, update, delete on summary_sentence to rejoinder_may_run;
revoke all on function follow_source_date from public;
