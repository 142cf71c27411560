-- Nothing is published that a person did not approve, word for word: these tables and triggers enforce it.
-- The application's roles can insert into review and publication, but change or delete neither what was
-- decided nor what is to be sent.
create table review (
  id bigint generated always as identity primary key,
  post_id bigint not null references post,
  draft_id bigint not null references draft,
  reviewer_id bigint not null references person,
  decision text not null check (decision in ('approved', 'rejected', 'sent_back')),
  reason text,
  note text,
  was_edited boolean not null default false,
  is_simulated boolean not null,
  created_at timestamptz not null default now(),
  check ((decision = 'rejected') = (reason is not null))
);
create index review_post on review (post_id);

create table review_part (
  review_id bigint not null references review,
  position integer not null check (position >= 0),
  text text not null check (length(btrim(text)) > 0),
  sha256 text not null,
  primary key (review_id, position),
  check (sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
);

create table publication (
  id bigint generated always as identity primary key,
  post_id bigint not null references post,
  review_id bigint not null unique references review,
  channel_id bigint not null references channel,
  state text not null check (state in
    ('queued', 'sending', 'sent', 'refused', 'unknown', 'cancelled', 'handoff', 'abandoned')),
  due_at timestamptz not null default now(),
  attempts integer not null default 0,
  lease_worker integer,
  lease_until timestamptz,
  first_sending_at timestamptz,
  sent_at timestamptz,
  platform_id text,
  platform_url text,
  reason_code text,
  detail text,
  read_back_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((state = 'sending') = (lease_worker is not null)),
  check ((lease_worker is null) = (lease_until is null)),
  check ((state = 'sent') = (sent_at is not null))
);
-- One living answer per post, whatever happens.
create unique index publication_one_per_post on publication (post_id)
  where state not in ('cancelled', 'refused', 'abandoned');
create index publication_due on publication (due_at, id) where state = 'queued';
create index publication_open on publication (state) where state in ('sending', 'unknown', 'handoff');

create table publication_part (
  publication_id bigint not null references publication,
  position integer not null check (position >= 0),
  text text not null,
  sha256 text not null,
  state text not null default 'queued' check (state in ('queued', 'sending', 'sent', 'refused', 'unknown')),
  platform_id text,
  primary key (publication_id, position),
  check (sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
);

-- Whether the reviewer may approve is asked when the words are put in and again before they are sent. Once they
-- may have gone out, an account that was shut meanwhile must not keep the publisher from writing down what
-- became of them: the words cannot change any more.
create function guard_publication_part() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if (new.text, new.sha256, new.position, new.publication_id)
        is distinct from (old.text, old.sha256, old.position, old.publication_id) then
      raise exception 'the text of a publication cannot be changed' using errcode = 'insufficient_privilege';
    end if;
    if new.state <> 'sending' or old.state = 'sending' then
      return null;
    end if;
  end if;
  if not exists (
    select from publication p
    join review r on r.id = p.review_id and r.post_id = p.post_id
    join review_part a on a.review_id = r.id and a.position = new.position
    join person d on d.id = r.reviewer_id and d.role in ('approver', 'admin') and d.is_active
    join channel c on c.id = p.channel_id
    join post o on o.id = p.post_id and o.channel_id = c.id
    where p.id = new.publication_id and r.decision = 'approved' and a.sha256 = new.sha256
      and r.is_simulated = d.is_simulated and (c.is_sandbox or not r.is_simulated)
  ) then
    raise exception 'publication %: part % was not approved with this text', new.publication_id, new.position
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$;
-- A constraint trigger runs at the end of the statement, so approval can write all four tables at once.
create constraint trigger publication_part_gate after insert or update on publication_part
  not deferrable for each row execute function guard_publication_part();

-- Once something is to be sent for a review, its words are complete.
create function guard_review_part() returns trigger language plpgsql as $$
begin
  if exists (select from publication p where p.review_id = new.review_id) then
    raise exception 'review % is decided: no words can be added to it', new.review_id
      using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger review_part_complete before insert on review_part
  for each row execute function guard_review_part();

-- No publication without an approval of the same post, not even an empty one.
create function guard_publication_review() returns trigger language plpgsql as $$
begin
  if not exists (
    select from review r where r.id = new.review_id and r.post_id = new.post_id and r.decision = 'approved'
  ) then
    raise exception 'publication %: post % was not approved by review %', new.id, new.post_id, new.review_id
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$;
create constraint trigger publication_approved after insert on publication
  not deferrable for each row execute function guard_publication_review();

create function guard_publication() returns trigger language plpgsql as $$
begin
  if (new.post_id, new.review_id, new.channel_id) is distinct from (old.post_id, old.review_id, old.channel_id) then
    raise exception 'a publication belongs to one post, review and channel' using errcode = 'insufficient_privilege';
  end if;
  if old.state is distinct from new.state and not exists (
    select from publication_move m where (m.from_state, m.to_state) = (old.state, new.state)
  ) then
    raise exception 'publication %: no move from % to %', old.id, old.state, new.state
      using errcode = 'check_violation';
  end if;
  new.updated_at := now();
  return new;
end $$;
create trigger publication_guard before update on publication
  for each row execute function guard_publication();

-- Only queued and handoff can be born; every other state has to be reached by a legal move.
create function guard_new_publication() returns trigger language plpgsql as $$
begin
  if new.state not in ('queued', 'handoff') then
    raise exception 'a publication starts queued or handed off, not %', new.state using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger publication_birth before insert on publication
  for each row execute function guard_new_publication();

create trigger review_append_only before update or delete on review for each row execute function refuse_change();
create trigger review_part_append_only before update or delete on review_part
  for each row execute function refuse_change();
create trigger publication_keep before delete on publication for each row execute function refuse_change();
create trigger publication_part_keep before delete on publication_part
  for each row execute function refuse_change();

create table publication_event (
  id bigint generated always as identity primary key,
  publication_id bigint not null references publication,
  from_state text,
  to_state text not null,
  reason_code text,
  detail text,
  created_at timestamptz not null default clock_timestamp()
);
create index publication_event_publication on publication_event (publication_id);
create function record_publication_move() returns trigger language plpgsql security definer
  set search_path = public as $$
begin
  if tg_op = 'INSERT' or old.state is distinct from new.state then
    insert into publication_event (publication_id, from_state, to_state, reason_code, detail)
    values (new.id, case when tg_op = 'UPDATE' then old.state end, new.state, new.reason_code, new.detail);
  end if;
  return null;
end $$;
create trigger publication_history after insert or update on publication
  for each row execute function record_publication_move();
create trigger publication_event_append_only before update or delete on publication_event
  for each row execute function refuse_change();

-- Snapshots to take of a sent reply; due_at is in the channel's own time (the sandbox has a clock of its own).
create table measurement (
  id bigint generated always as identity primary key,
  publication_id bigint not null references publication,
  window_s integer not null check (window_s > 0),
  step text not null,
  status text not null default 'pending'
    check (status in ('pending', 'processing', 'completed', 'failed', 'dead')),
  priority integer not null default 0,
  due_at timestamptz not null,
  attempts integer not null default 0,
  crashes integer not null default 0,
  lease_worker integer,
  lease_until timestamptz,
  in_hand_at timestamptz,
  last_error text,
  updated_at timestamptz not null default now(),
  unique (publication_id, window_s),
  check ((status = 'processing') = (lease_worker is not null)),
  check ((lease_worker is null) = (lease_until is null))
);
create index measurement_due on measurement (step, crashes, priority desc, id)
  where status in ('pending', 'failed', 'processing');

create table engagement_snapshot (
  id bigint generated always as identity primary key,
  publication_id bigint not null references publication,
  window_s integer not null,
  impressions integer,
  likes integer not null,
  replies integer not null,
  reposts integer not null,
  is_deleted boolean not null default false,
  is_late boolean not null default false,
  taken_at timestamptz not null,
  created_at timestamptz not null default now(),
  unique (publication_id, window_s)
);

create table reward (
  publication_id bigint primary key references publication,
  decision_id bigint references decision,
  window_s integer not null,
  engagement_rate double precision not null,
  reward double precision not null,
  components jsonb not null,
  updated_at timestamptz not null default now()
);

grant select, insert on review, review_part to rejoinder_may_run;
grant select, insert, update on publication, publication_part to rejoinder_may_run;
grant select, insert, update on measurement, engagement_snapshot, reward to rejoinder_may_run;
grant select on review, review_part, publication_event, engagement_snapshot, reward to rejoinder_may_publish;
grant select on publication_event to rejoinder_may_run;
grant select, update on publication, publication_part to rejoinder_may_publish;
grant select, insert on measurement to rejoinder_may_publish;
