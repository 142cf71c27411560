-- Group roles (no login): what the application and the publisher may do, granted table by table below.
-- The login roles <db>_app and <db>_publisher are members; provisioning makes them.
do $$
begin
  if not exists (select from pg_roles where rolname = 'rejoinder_may_run') then
    create role rejoinder_may_run nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'rejoinder_may_publish') then
    create role rejoinder_may_publish nologin;
  end if;
end $$;

revoke all on schema public from public;
grant usage on schema public to rejoinder_may_run, rejoinder_may_publish;

-- The legal moves of a post; rejoinder/review/moves.py holds the same table, a test compares the two.
create table post_move (
  from_stage text not null,
  from_status text not null,
  to_stage text not null,
  to_status text not null,
  primary key (from_stage, from_status, to_stage, to_status)
);

with work(stage, next_stage) as (
  values ('triage', 'research'), ('research', 'response'), ('response', 'editorial'), ('editorial', 'review')
)
insert into post_move
select stage, f, stage, t
from work, (values
  ('pending', 'processing'), ('processing', 'pending'), ('processing', 'failed'), ('failed', 'processing'),
  ('processing', 'rejected'), ('processing', 'dead'), ('dead', 'pending')) as m(f, t)
union all
select stage, 'processing', next_stage, 'pending' from work;

insert into post_move values
  ('review', 'pending', 'review', 'rejected'),
  ('review', 'rejected', 'review', 'pending'),
  ('review', 'pending', 'response', 'pending'),
  ('review', 'pending', 'post_queue', 'pending'),
  ('post_queue', 'pending', 'post_queue', 'processing'),
  ('post_queue', 'pending', 'review', 'pending'),
  ('post_queue', 'pending', 'done', 'completed'),
  ('post_queue', 'pending', 'post_queue', 'rejected'),
  ('post_queue', 'processing', 'post_queue', 'pending'),
  ('post_queue', 'processing', 'post_queue', 'rate_limited'),
  ('post_queue', 'processing', 'post_queue', 'failed'),
  ('post_queue', 'processing', 'post_queue', 'rejected'),
  ('post_queue', 'processing', 'done', 'completed'),
  ('post_queue', 'rate_limited', 'post_queue', 'processing'),
  ('post_queue', 'rate_limited', 'review', 'pending'),
  ('post_queue', 'failed', 'post_queue', 'pending');

-- From anywhere but done (and not while a reply is under way): back to triage when the post was edited,
-- withdrawn when it was deleted or its author opted out.
with place(stage, status) as (
  select s, t
  from unnest(array['triage', 'research', 'response', 'editorial']) as s,
       unnest(array['pending', 'processing', 'failed', 'rejected', 'dead', 'withdrawn']) as t
  union all
  select 'review', t from unnest(array['pending', 'rejected', 'withdrawn']) as t
  union all
  select 'post_queue', t
  from unnest(array['pending', 'processing', 'failed', 'rejected', 'rate_limited', 'withdrawn']) as t
)
insert into post_move
select stage, status, 'triage', 'pending' from place
where (stage, status) not in (('triage', 'pending'), ('post_queue', 'processing'))
union
select stage, status, stage, 'withdrawn' from place where status <> 'withdrawn'
on conflict do nothing;

-- The legal moves of a publication; rejoinder/posting/states.py holds the same table.
create table publication_move (
  from_state text not null,
  to_state text not null,
  primary key (from_state, to_state)
);
insert into publication_move values
  ('queued', 'sending'), ('queued', 'cancelled'), ('queued', 'handoff'),
  ('sending', 'sent'), ('sending', 'refused'), ('sending', 'unknown'), ('sending', 'queued'),
  ('handoff', 'sent'), ('handoff', 'abandoned'),
  ('unknown', 'sent'), ('unknown', 'queued'), ('unknown', 'refused'), ('unknown', 'abandoned');

grant select on post_move, publication_move to rejoinder_may_run, rejoinder_may_publish;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'insufficient_privilege';
end $$;

-- Numbers workers; a worker holds the session advisory lock (21066, its number) while it lives.
create sequence worker_number as integer cycle;
grant usage on sequence worker_number to rejoinder_may_run, rejoinder_may_publish;

-- Who lives: after kill -9 PostgreSQL frees the lock at once, however long the lease still runs.
create view living_worker as
select objid::bigint as worker
from pg_locks
where locktype = 'advisory' and classid = 21066 and objsubid = 2 and granted
  and database = (select oid from pg_database where datname = current_database());
grant select on living_worker to rejoinder_may_run, rejoinder_may_publish;

-- Only this installation's own logins may enter the database.
do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to rejoinder_may_run, rejoinder_may_publish', current_database());
end $$;
