-- Listening within the rules of each platform: what was spent on it, what a channel is doing, what is gone there.

-- Other packages may bring platforms of their own; which there are is known to resources/platforms/adapters.py.
alter table channel drop constraint channel_platform_check;

-- A policy in columns, for statements; the values are those of rejoinder/listening/policy.py, written by it alone.
create view channel_policy as
select id as channel_id,
       policy ->> 'name' as name,
       policy ->> 'reply_mode' as reply_mode,
       (policy ->> 'may_train')::boolean as may_train,
       (policy ->> 'may_profile')::boolean as may_profile,
       (policy ->> 'retention_s')::integer as retention_s
from channel;

alter table post
  -- the platform's id of the post that it answers
  add column parent_id text,
  add column edited_at timestamptz,
  -- when the platform last said whether it stands
  add column checked_at timestamptz not null default now(),
  -- when the platform was first seen without it; text and all that was made of it are purged within the policy's term
  add column gone_at timestamptz,
  add column purged_at timestamptz;
update post set checked_at = heard_at;
create index post_standing on post (channel_id, checked_at, id) where gone_at is null and purged_at is null;
create index post_gone on post (channel_id, checked_at, id) where gone_at is not null and purged_at is null;
create index post_at_rest on post (channel_id, heard_at)
  where purged_at is null and status in ('rejected', 'dead', 'withdrawn');
create index post_author on post (platform, lower(author), created_at desc) where author is not null;
create index post_conversation on post (platform, conversation_id) where conversation_id is not null;

-- What was purged is not worked on again: there is nothing to read in it. Only what became of a reply whose outcome
-- nobody saw may still be written down.
create function guard_purged_post() returns trigger language plpgsql as $$
begin
  if new.purged_at is null or new.text <> ''
      or ((old.stage, old.status) is distinct from (new.stage, new.status) and new.status <> 'withdrawn'
        and not ((old.stage, old.status) = ('post_queue', 'processing')
          and (new.stage, new.status) in (('done', 'completed'), ('post_queue', 'failed'), ('post_queue', 'rejected'))))
  then
    raise exception 'post %: its content was purged, nothing more can be done with it', old.id
      using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger post_purged_guard before update on post for each row
  when (old.purged_at is not null) execute function guard_purged_post();

-- What stands above a post in its conversation, oldest first: read once, within the budget, and purged with the post.
create table post_context (
  post_id bigint not null references post on delete cascade,
  position integer not null check (position >= 0),
  platform_post_id text not null,
  author text,
  text text not null,
  created_at timestamptz not null,
  primary key (post_id, position)
);

-- Which post an answer belongs to, so that it goes when the post goes.
alter table llm_cache add column input_ref text;
create index llm_cache_input on llm_cache (input_ref) where input_ref is not null;
create index model_run_input on model_run (input_ref) where input_ref is not null;

-- The only doors to a training set and to a profile: each leaves out what its channel's policy keeps from it, what is
-- gone or withdrawn, and whoever asked to be left alone.
create view trainable_post as
select p.id from post p join channel_policy c on c.channel_id = p.channel_id
where c.may_train and p.gone_at is null and p.status <> 'withdrawn'
  and not exists (select from opt_out o where o.platform = p.platform and lower(o.author) = lower(p.author));
create view profilable_post as
select p.id from post p join channel_policy c on c.channel_id = p.channel_id
where c.may_profile and p.gone_at is null and p.status <> 'withdrawn'
  and not exists (select from opt_out o where o.platform = p.platform and lower(o.author) = lower(p.author));

-- Who asked to be left alone (is_asked), for ever, or was put on the block list by a person.
alter table opt_out
  add column is_asked boolean not null default true,
  add column post_id bigint references post on delete set null,
  add column person_id bigint references person;
create index opt_out_lower on opt_out (platform, lower(author));

-- What calls of a platform cost, by UTC day. Platforms charge a resource once a day, however often it is read:
-- spend_resource knows those of today and yesterday, spend_entry keeps the sums.
create table spend_entry (
  channel_id bigint not null references channel,
  day date not null,
  action text not null,
  n_resources bigint not null default 0 check (n_resources >= 0),
  n_charged bigint not null default 0 check (n_charged between 0 and n_resources),
  spent_usd numeric(14, 6) not null default 0 check (spent_usd >= 0),
  updated_at timestamptz not null default now(),
  primary key (channel_id, day, action)
);
create table spend_resource (
  channel_id bigint not null references channel,
  day date not null,
  action text not null,
  resource_id text not null,
  primary key (channel_id, day, action, resource_id)
);

-- Counts what a call returned; how much of it is charged, in USD. A resource that was counted today is free.
create function count_spend(
  of_channel bigint, on_day date, of_action text, ids text[], price_usd double precision
) returns double precision language plpgsql as $$
declare
  n integer := coalesce(array_length(ids, 1), 0);
  fresh integer;
  cost numeric(14, 6);
begin
  with counted as (
    insert into spend_resource (channel_id, day, action, resource_id)
    select of_channel, on_day, of_action, id from (select distinct unnest(ids) as id) d order by id
    on conflict do nothing returning 1
  ) select count(*) into fresh from counted;
  cost := fresh * price_usd;
  insert into spend_entry as s (channel_id, day, action, n_resources, n_charged, spent_usd)
  values (of_channel, on_day, of_action, n, fresh, cost)
  on conflict (channel_id, day, action) do update
  set n_resources = s.n_resources + n, n_charged = s.n_charged + fresh, spent_usd = s.spent_usd + cost,
      updated_at = now();
  return cost;
end $$;

-- What a part of a channel is doing, for people to see: listening, waiting, stopped by its budget, refused.
create table channel_state (
  channel_id bigint not null references channel,
  part text not null check (part in ('listen', 'publish', 'spend', 'compliance')),
  state text not null,
  detail text not null default '',
  since timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (channel_id, part)
);

grant select on channel_policy, trainable_post, profilable_post to rejoinder_may_run;
grant select, insert, update, delete on post_context, spend_resource to rejoinder_may_run;
grant select, insert, update on spend_entry, channel_state to rejoinder_may_run;
grant delete on opt_out, post_embedding, stage_result, stage_decision, claim, evidence to rejoinder_may_run;
grant select on channel_policy to rejoinder_may_publish;
grant select, insert, update on spend_entry, spend_resource, channel_state to rejoinder_may_publish;
