-- Publishing whatever happens: threads part by part, schedules, a kill switch, limits by account, words that go out once.

-- An account may speak on several channels; its platform counts its calls together.
alter table channel add column account_key text not null generated always as
  (platform || case when is_sandbox then ':sandbox:' else ':' end || lower(account)) stored;

create table account_window (
  account_key text not null,
  action text not null,
  name text not null,
  limit_count integer not null check (limit_count > 0),
  used_count integer not null default 0 check (used_count >= 0),
  length_s integer not null check (length_s > 0),
  reset_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (account_key, action, name)
);
-- Where two channels of one account counted apart, the one that counted more says more.
insert into account_window (account_key, action, name, limit_count, used_count, length_s, reset_at, updated_at)
select distinct on (c.account_key, w.action, w.name)
       c.account_key, w.action, w.name, w.limit_count, w.used_count, w.length_s, w.reset_at, w.updated_at
from rate_window w join channel c on c.id = w.channel_id
order by c.account_key, w.action, w.name, w.used_count desc, w.reset_at desc;
drop table rate_window;
alter table account_window rename to rate_window;
-- When an account called: a limit of so many calls in so many seconds holds for every stretch of that length.
create table rate_call (
  id bigint generated always as identity primary key,
  account_key text not null,
  action text not null,
  called_at timestamptz not null
);
create index rate_call_recent on rate_call (account_key, action, called_at);

-- The kill switch: of one channel, or of everything (no channel). A pause stays in the table when it is over.
create table pause (
  id bigint generated always as identity primary key,
  channel_id bigint references channel,
  reason text not null check (length(btrim(reason)) between 1 and 500),
  paused_by bigint references person,
  paused_at timestamptz not null default now(),
  resumed_by bigint references person,
  resumed_at timestamptz check (resumed_at >= paused_at)
);
create unique index pause_in_force on pause (coalesce(channel_id, 0)) where resumed_at is null;

alter table publication
  -- when the approver wants it to go out: at once, at a time, in the best hour, in the next slot of the calendar
  add column schedule text not null default 'now' check (schedule in ('now', 'at', 'best_hour', 'slot')),
  add column scheduled_for timestamptz,
  -- the zone in which the time was named, to be shown in
  add column schedule_zone text,
  -- the post that is answered, and what is said, so that nobody can queue it twice
  add column platform text,
  add column parent_platform_id text,
  add column words_sha256 text,
  add column parts_sent integer not null default 0 check (parts_sent >= 0),
  -- who decided what became of it, where a person did
  add column settled_by bigint references person,
  -- when the platform was first seen without the reply that was sent
  add column removed_at timestamptz,
  add constraint publication_schedule check ((schedule = 'now') = (scheduled_for is null));

alter table publication_part
  add column attempts integer not null default 0,
  -- when its request was last about to leave, and whether the outcome of any was ever not seen
  add column sending_at timestamptz,
  add column was_unknown boolean not null default false,
  add column sent_at timestamptz,
  add column platform_sent_at timestamptz,
  add column platform_url text,
  add column reason_code text,
  add column detail text;
-- A platform's id names one part of one reply.
create unique index publication_part_platform_id on publication_part (publication_id, platform_id)
  where platform_id is not null;

-- The legal moves of a part; rejoinder/posting/states.py holds the same table.
create table part_move (
  from_state text not null,
  to_state text not null,
  primary key (from_state, to_state)
);
insert into part_move values
  ('queued', 'sending'), ('queued', 'sent'),
  ('sending', 'sent'), ('sending', 'refused'), ('sending', 'unknown'), ('sending', 'queued'),
  ('unknown', 'sent'), ('unknown', 'queued'), ('unknown', 'refused'),
  ('refused', 'sent');
grant select on part_move to rejoinder_may_run, rejoinder_may_publish;

-- Parts go out one after the other, each once: what stands cannot be sent again, and keeps its place.
create function guard_part_move() returns trigger language plpgsql as $$
begin
  if old.platform_id is not null and new.platform_id is distinct from old.platform_id then
    raise exception 'publication %: part % stands under another id', old.publication_id, old.position
      using errcode = 'insufficient_privilege';
  end if;
  if old.state is not distinct from new.state then
    return new;
  end if;
  if not exists (select from part_move m where (m.from_state, m.to_state) = (old.state, new.state)) then
    raise exception 'publication %, part %: no move from % to %',
      old.publication_id, old.position, old.state, new.state using errcode = 'check_violation';
  end if;
  if (old.state, new.state) = ('unknown', 'queued') and not exists (
    select from publication p join person d on d.id = p.settled_by
    where p.id = old.publication_id and d.role in ('approver', 'admin') and d.is_active
  ) then
    raise exception 'publication %: only a person who may approve can say that part % is to be sent again',
      old.publication_id, old.position using errcode = 'insufficient_privilege';
  end if;
  if new.state = 'unknown' then
    new.was_unknown := true;
  end if;
  if new.state = 'sending' then
    if exists (
      select from pause s join publication p on p.id = old.publication_id
      where s.resumed_at is null and (s.channel_id is null or s.channel_id = p.channel_id)
    ) then
      raise exception 'publication %: publishing is paused', old.publication_id
        using errcode = 'insufficient_privilege';
    end if;
    if not exists (select from publication p where p.id = old.publication_id and p.state = 'sending') then
      raise exception 'publication %: part % cannot be sent while the reply is not', old.publication_id, old.position
        using errcode = 'check_violation';
    end if;
    if exists (
      select from publication_part b
      where b.publication_id = old.publication_id and b.position < old.position and b.state <> 'sent'
    ) then
      raise exception 'publication %: the parts before part % do not stand yet', old.publication_id, old.position
        using errcode = 'check_violation';
    end if;
    new.attempts := old.attempts + 1;
    new.sending_at := now();
  end if;
  return new;
end $$;
create trigger publication_part_move before update on publication_part
  for each row execute function guard_part_move();

create function count_sent_parts() returns trigger language plpgsql as $$
begin
  update publication p
  set parts_sent = (select count(*) from publication_part a where a.publication_id = p.id and a.state = 'sent')
  where p.id = new.publication_id;
  return null;
end $$;
create trigger publication_part_sent after update of state on publication_part
  for each row when (new.state = 'sent' or old.state = 'sent') execute function count_sent_parts();

-- What is said is known once all words are in: at the end of the statement that approves.
create or replace function guard_publication_review() returns trigger language plpgsql as $$
begin
  if not exists (
    select from review r where r.id = new.review_id and r.post_id = new.post_id and r.decision = 'approved'
  ) then
    raise exception 'publication %: post % was not approved by review %', new.id, new.post_id, new.review_id
      using errcode = 'insufficient_privilege';
  end if;
  update publication p
  set platform = o.platform, parent_platform_id = o.platform_post_id, words_sha256 = words_of(new.review_id)
  from post o
  where p.id = new.id and o.id = new.post_id;
  return null;
end $$;
create function words_of(of_review bigint) returns text language sql stable as $$
  select encode(sha256(convert_to(string_agg(sha256, ' ' order by position), 'UTF8')), 'hex')
  from review_part where review_id = of_review
$$;

create or replace function guard_new_publication() returns trigger language plpgsql as $$
begin
  if new.state not in ('queued', 'handoff') then
    raise exception 'a publication starts queued or handed off, not %', new.state using errcode = 'check_violation';
  end if;
  new.platform := null;
  new.parent_platform_id := null;
  new.words_sha256 := null;
  new.parts_sent := 0;
  return new;
end $$;

create or replace function guard_publication() returns trigger language plpgsql as $$
begin
  if (new.post_id, new.review_id, new.channel_id) is distinct from (old.post_id, old.review_id, old.channel_id)
      or (old.words_sha256 is not null and (new.platform, new.parent_platform_id, new.words_sha256)
        is distinct from (old.platform, old.parent_platform_id, old.words_sha256)) then
    raise exception 'a publication belongs to one post, review and channel' using errcode = 'insufficient_privilege';
  end if;
  if old.state is distinct from new.state then
    if not exists (
      select from publication_move m where (m.from_state, m.to_state) = (old.state, new.state)
    ) then
      raise exception 'publication %: no move from % to %', old.id, old.state, new.state
        using errcode = 'check_violation';
    end if;
    if new.state = 'sending' then
      perform guard_sending(new.id, new.review_id, new.channel_id);
      new.settled_by := null;
    end if;
    if new.parts_sent > 0 then
      perform guard_begun_thread(new.id, old.state, new.state);
      if new.state in ('cancelled', 'abandoned') then
        new.detail := format('%s of %s parts stand; %s', new.parts_sent, parts_of(new.id), coalesce(new.detail, 'no more'));
      end if;
    elsif (old.state, new.state) = ('refused', 'handoff') then
      raise exception 'publication %: nothing of it stands, so there is nothing to finish', new.id
        using errcode = 'check_violation';
    end if;
    if (old.state, new.state) = ('unknown', 'queued') and exists (
      select from publication_part a where a.publication_id = new.id and a.state not in ('queued', 'sent')
    ) and not exists (
      select from person d where d.id = new.settled_by and d.role in ('approver', 'admin') and d.is_active
    ) then
      raise exception 'publication %: only a person who may approve can say that it is to be sent again', old.id
        using errcode = 'insufficient_privilege';
    end if;
  end if;
  new.updated_at := now();
  return new;
end $$;
create function parts_of(of_publication bigint) returns bigint language sql stable as $$
  select count(*) from publication_part where publication_id = of_publication
$$;
-- A thread of which parts stand: it goes on, or it ends so that everyone can see how far it came.
create function guard_begun_thread(of_publication bigint, before text, after text) returns void language plpgsql as $$
begin
  if (before, after) = ('refused', 'handoff') and not exists (
    select from publication_part a where a.publication_id = of_publication and a.state <> 'sent'
  ) then
    raise exception 'publication %: every part of it stands', of_publication using errcode = 'check_violation';
  end if;
end $$;
-- A reply stands when each of its parts does: asked at the end of the transaction that says so.
create function guard_whole_reply() returns trigger language plpgsql as $$
begin
  if exists (
    select from publication p join publication_part a on a.publication_id = p.id
    where p.id = new.id and p.state = 'sent' and a.state <> 'sent'
  ) then
    raise exception 'publication %: it is not sent while a part of it is not', new.id
      using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger publication_whole after update of state on publication deferrable initially deferred
  for each row when (new.state = 'sent') execute function guard_whole_reply();
-- Only the publisher sends, only what is whole, and nothing while a pause is in force.
create function guard_sending(of_publication bigint, of_review bigint, of_channel bigint) returns void
language plpgsql as $$
begin
  if not pg_has_role(current_user, 'rejoinder_may_publish', 'member') then
    raise exception 'publication %: only the publisher may send', of_publication
      using errcode = 'insufficient_privilege';
  end if;
  if exists (
    select from pause s where s.resumed_at is null and (s.channel_id is null or s.channel_id = of_channel)
  ) then
    raise exception 'publication %: publishing is paused', of_publication
      using errcode = 'insufficient_privilege';
  end if;
  if exists (
    select from review_part a where a.review_id = of_review and not exists (
      select from publication_part b where b.publication_id = of_publication and b.position = a.position)
  ) then
    raise exception 'publication %: a part of what was approved is missing', of_publication
      using errcode = 'insufficient_privilege';
  end if;
end $$;

update publication p
set platform = o.platform, parent_platform_id = o.platform_post_id, words_sha256 = words_of(p.review_id),
    parts_sent = (select count(*) from publication_part a where a.publication_id = p.id and a.state = 'sent')
from post o where o.id = p.post_id;

update publication_part a
set attempts = p.attempts, sent_at = p.sent_at, platform_url = p.platform_url,
    sending_at = e.sending_at, was_unknown = coalesce(e.was_unknown, false)
from publication p left join lateral (
  select max(v.created_at) filter (where v.to_state = 'sending') as sending_at,
         bool_or(v.to_state = 'unknown') as was_unknown
  from publication_event v where v.publication_id = p.id
) e on true
where p.id = a.publication_id and a.position = 0;

-- A reply of which a part stands can be finished by hand where the platform refused the rest, or be given up.
insert into publication_move values ('refused', 'handoff');
insert into post_move values ('post_queue', 'rate_limited', 'post_queue', 'rejected');

-- One living answer per post, whatever happens; an answer of which a part stands is living.
drop index publication_one_per_post;
create unique index publication_one_per_post on publication (post_id)
  where state not in ('cancelled', 'refused', 'abandoned') or parts_sent > 0;
-- The same words under the same post, once: also where they may have gone out before somebody gave them up.
create unique index publication_same_words on publication (platform, parent_platform_id, words_sha256)
  where state not in ('cancelled', 'refused', 'abandoned') or parts_sent > 0
    or (state = 'abandoned' and first_sending_at is not null);
-- Two replies never share a slot of a channel's calendar.
create unique index publication_slot on publication (channel_id, scheduled_for)
  where schedule = 'slot' and state in ('queued', 'sending', 'sent', 'unknown');
drop index publication_due;
-- In the order in which a publisher takes them: threads that were begun first.
create index publication_planned on publication (channel_id, (parts_sent > 0) desc, due_at, id) where state = 'queued';

grant select, insert, update on rate_window to rejoinder_may_run, rejoinder_may_publish;
grant select, insert, delete on rate_call to rejoinder_may_run, rejoinder_may_publish;
grant select, insert, update on pause to rejoinder_may_run;
grant select on pause to rejoinder_may_publish;
grant select (name) on person to rejoinder_may_publish; -- who paused it
