-- What became of replies: their parts counted together, what a platform took away, who answered them, what they were
-- worth under which weights, and one row of all that per decision.

-- A snapshot that has to wait keeps the moment that it was planned for, so that it says how late it is.
alter table measurement add column planned_at timestamptz;
update measurement set planned_at = due_at;
alter table measurement alter column planned_at set not null;
create function plan_measurement() returns trigger language plpgsql as $$
begin
  new.planned_at := coalesce(new.planned_at, new.due_at);
  return new;
end $$;
create trigger measurement_planned before insert on measurement for each row execute function plan_measurement();

alter table engagement_snapshot
  add column n_parts smallint not null default 1 check (n_parts > 0),
  add column n_parts_gone smallint not null default 0 check (n_parts_gone between 0 and n_parts),
  -- what only the account itself is told, where the platform tells it
  add column link_clicks integer check (link_clicks >= 0),
  add column profile_clicks integer check (profile_clicks >= 0),
  -- why it is gone, in the platform's own word
  add column removal_reason text;

-- When a reply was last looked at, by whichever call; those that were not looked at longest go along with the next one.
alter table publication add column looked_at timestamptz;
create index publication_by_platform_id on publication (platform, platform_id) where platform_id is not null;
create index publication_part_by_platform_id on publication_part (platform_id) where platform_id is not null;
create index publication_to_look_at on publication (channel_id, looked_at nulls first) where state = 'sent';

-- A post that answers a reply of ours.
alter table post add column answers_publication_id bigint references publication;
create index post_follow_up on post (answers_publication_id) where answers_publication_id is not null;
create index post_parent on post (platform, parent_id) where parent_id is not null;
update post o set answers_publication_id = p.id
from publication p join channel c on c.id = p.channel_id
where o.parent_id is not null and p.platform = o.platform and p.platform_id = o.parent_id
  and lower(o.author) is distinct from lower(regexp_replace(c.account, '^@', ''));

-- How the parts of a reward are weighed for a creator, version by version; no person: out of the tuning.
create table reward_weights (
  creator_id bigint not null references creator,
  version integer not null check (version > 0),
  weights jsonb not null,
  person_id bigint references person,
  created_at timestamptz not null default now(),
  primary key (creator_id, version)
);
create trigger reward_weights_append_only before update or delete on reward_weights
  for each row execute function refuse_change();

-- What was usual on a day, so that a reward can be worked out again as it was.
create table reward_norm (
  id bigint generated always as identity primary key,
  creator_id bigint not null references creator,
  platform text not null,
  -- a rehearsal says nothing about what is usual among people
  is_sandbox boolean not null,
  window_s integer not null,
  weights_version integer not null,
  day date not null,
  n_replies integer not null,
  norm jsonb not null,
  unique (creator_id, platform, is_sandbox, window_s, weights_version, day)
);

-- version 0: written before weights had versions
alter table reward
  add column weights_version integer not null default 0,
  add column norm_id bigint references reward_norm,
  add column engagement double precision,
  add column growth double precision,
  add column conversion double precision,
  add column cost double precision,
  add column is_mature boolean not null default false;
create table reward_history (like reward, primary key (publication_id, weights_version));
create function keep_reward() returns trigger language plpgsql as $$
begin
  insert into reward_history select old.* on conflict do nothing;
  return new;
end $$;
create trigger reward_kept before update on reward
  for each row when (old.weights_version <> new.weights_version) execute function keep_reward();
create trigger reward_history_append_only before update or delete on reward_history
  for each row execute function refuse_change();

-- Replies whose reward is to be written: they have a snapshot that it does not know, or other weights are in force.
-- Who asks for one that is asked for already holds its row to the end, so that whoever takes it sees what was new.
create table reward_due (publication_id bigint primary key references publication);
insert into reward_due select distinct publication_id from engagement_snapshot;
create function ask_for_reward() returns trigger language plpgsql as $$
begin
  insert into reward_due values (new.publication_id)
  on conflict (publication_id) do update set publication_id = excluded.publication_id;
  return null;
end $$;
create trigger engagement_snapshot_rewarded after insert on engagement_snapshot
  for each row execute function ask_for_reward();

-- What came of each decision: one row per decision, however far it got. Engagement is seen only where a person approved
-- and the reply was sent, and what a person posted by hand or a simulated reviewer decided is told apart.
create view outcome as
select d.id as decision_id, d.post_id, d.round, d.context_version, d.policy_version, d.prompt_version, d.candidates,
       d.action, d.propensity, d.created_at as decided_at, o.channel_id,
       r.id as review_id, r.decision as review_decision, r.is_simulated, r.was_edited,
       p.id as publication_id, p.state as publication_state, p.sent_at, p.removed_at,
       p.id is not null and p.first_sending_at is null and p.state in ('sent', 'handoff', 'abandoned') as was_handed_off,
       s.window_s, s.impressions, s.likes, s.replies, s.reposts, s.link_clicks, s.profile_clicks, s.is_deleted, s.is_late,
       w.weights_version, w.engagement_rate, w.engagement, w.growth, w.conversion, w.cost, w.reward,
       coalesce(w.is_mature, false) as is_mature
from decision d
join post o on o.id = d.post_id
left join lateral (
  select r.* from review r join draft f on f.id = r.draft_id
  where f.decision_id = d.id order by r.id desc limit 1
) r on true
left join publication p on p.review_id = r.id
left join lateral (
  select s.* from engagement_snapshot s where s.publication_id = p.id order by s.window_s desc limit 1
) s on true
left join reward w on w.publication_id = p.id;
create index if not exists draft_decision on draft (decision_id) where decision_id is not null;
create index if not exists review_draft on review (draft_id);

-- What may be learned from: real people approved it, it went out, its last window is over, and the channel's policy
-- lets its post train anything.
create view learnable_outcome as
select u.* from outcome u join trainable_post t on t.id = u.post_id
where u.is_mature and not u.is_simulated and u.publication_state = 'sent';

grant select on outcome, learnable_outcome, reward_history to rejoinder_may_run;
grant insert on reward_history to rejoinder_may_run;
grant select, insert on reward_weights, reward_norm to rejoinder_may_run;
grant select, insert, update, delete on reward_due to rejoinder_may_run;
