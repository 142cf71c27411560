-- What replies were worth at each age, out of what was known and paid by then; which replies their platform says
-- nothing of; and which accounts are ours.

-- A reply has a reward for each age that it was measured at.
alter table reward drop constraint reward_pkey, add primary key (publication_id, window_s);
alter table reward_history drop constraint reward_history_pkey,
  add primary key (publication_id, window_s, weights_version);

create or replace view outcome as
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
left join lateral (
  select w.* from reward w where w.publication_id = p.id order by w.window_s desc limit 1
) w on true;

-- A reward that could not be worked out keeps its place in the queue, and why. What is new of its reply lets it be tried
-- again at once.
alter table reward_due
  add column failed_at timestamptz,
  add column reason text,
  add check ((failed_at is null) = (reason is null));
create or replace function ask_for_reward() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  insert into reward_due values (new.publication_id)
  on conflict (publication_id) do update set failed_at = null, reason = null;
  return null;
end $$;

-- A conversion may be told long after it was: the rewards of all ages that it falls into are written anew.
create function ask_for_reward_of_link() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  insert into reward_due (publication_id)
  select p.id
  from tracked_link t
  join publication p on p.post_id = t.post_id
  where t.id = new.link_id
    and exists (
      select from engagement_snapshot s
      where s.publication_id = p.id and new.occurred_at <= p.sent_at + make_interval(secs => s.window_s))
    and exists (
      select from publication_part a where a.publication_id = p.id and strpos(a.text, t.address) > 0)
  order by p.id
  on conflict (publication_id) do update set failed_at = null, reason = null;
  return null;
end $$;
create trigger conversion_rewarded after insert on conversion
  for each row execute function ask_for_reward_of_link();

-- What the spend meter booked for each attempt at a part of a reply; gone where the platform surely did not take it.
create table publication_charge (
  publication_id bigint not null references publication,
  position integer not null check (position >= 0),
  attempt integer not null check (attempt >= 0),
  action text not null,
  charged_usd numeric(14, 6) not null check (charged_usd >= 0),
  booked_at timestamptz not null default now(),
  primary key (publication_id, position, attempt)
);
-- Of replies of before only the prices are known: that of the decision for the first part, where it is on record, else
-- that of the channel today. From here on they stay. What is on its way, or was not seen to arrive, counts; what the
-- platform refused and a person then posted by hand does not.
insert into publication_charge (publication_id, position, attempt, action, charged_usd, booked_at)
select t.publication_id, t.position, t.attempts, t.action,
       coalesce(
         case when t.position = 0 and t.action = 'create_with_link' then n.price_with_link_usd
              when t.position = 0 then n.price_usd end,
         (c.policy ->> case t.action when 'create_with_link' then 'price_with_link_usd'
                                     when 'create_summoned' then 'price_summoned_usd'
                                     else 'price_per_create_usd' end)::numeric,
         0),
       coalesce(t.sent_at, t.sending_at)
from (
  select a.*, case when a.text ~* 'https?://' then 'create_with_link'
                   when a.position = 0 and o.is_summoned then 'create_summoned' else 'create' end as action
  from publication_part a join publication b on b.id = a.publication_id join post o on o.id = b.post_id
  where a.state in ('sent', 'sending', 'unknown') and a.sending_at is not null
    and not exists (
      select from publication_event h
      where h.publication_id = a.publication_id and h.to_state = 'handoff' and h.created_at > a.sending_at
        and (a.sent_at is null or a.sent_at >= h.created_at))
) t
join publication p on p.id = t.publication_id
join channel c on c.id = p.channel_id
join review r on r.id = p.review_id
join draft d on d.id = r.draft_id
left join decision n on n.id = d.decision_id;

-- Since when the platform's answers say nothing of a reply, neither that it stands nor that it is gone.
alter table publication add column unsaid_since timestamptz;

-- The accounts that are ours on a channel's platform: those of all channels of its project there. What a sandbox plays
-- is nobody's real account, and the other way round.
create function own_accounts(of_channel bigint) returns setof text
language sql stable set search_path = public, pg_temp as $$
  select distinct lower(regexp_replace(c.account, '^@', ''))
  from channel c
  join channel heard on heard.id = of_channel
    and (c.project_id, c.platform, c.is_sandbox) = (heard.project_id, heard.platform, heard.is_sandbox)
$$;
-- What accounts of ours wrote answers nobody.
update post o set answers_publication_id = null
from publication p
where p.id = o.answers_publication_id and lower(o.author) in (select own_accounts(p.channel_id));

-- Every reward is written anew, for every age.
insert into reward_due (publication_id) select distinct publication_id from engagement_snapshot order by 1
on conflict do nothing;

grant select, insert, delete on publication_charge to rejoinder_may_run, rejoinder_may_publish;
grant execute on function own_accounts to rejoinder_may_run, rejoinder_may_publish;
