-- The spend meter: money that calls under way may cost, and calls for which a budget had no room.

-- What a process may still spend on its own word. It counts as spent while it is there: the calls it stands for may have
-- been answered. A process that died leaves it; the rest of its day it counts, then it is booked as spent.
create table spend_hold (
  channel_id bigint not null references channel,
  holder uuid not null,
  day date not null,
  held_usd numeric(14, 6) not null check (held_usd > 0),
  renewed_at timestamptz not null default now(),
  primary key (channel_id, holder)
);

-- The last call that a budget had no room for; gone once there is room for it again.
create table spend_stop (
  channel_id bigint primary key references channel,
  needed_usd numeric(14, 6) not null,
  goes_on_at timestamptz not null,
  since timestamptz not null default now()
);

-- Replies that were sent before, at the price of their channel, so that this month's budgets know them.
with sent as (
  select p.channel_id, (e.created_at at time zone 'UTC')::date as day,
    case when exists (select from publication_part t where t.publication_id = p.id and t.text ~* 'https?://')
      then 'create_with_link' else 'create' end as action
  from publication p join publication_event e on e.publication_id = p.id and e.to_state = 'sent'
  where p.state = 'sent' and not exists (
    select from publication_event h where h.publication_id = p.id and h.to_state = 'handoff')
)
insert into spend_entry (channel_id, day, action, n_resources, n_charged, spent_usd)
select s.channel_id, s.day, s.action, count(*), count(*), count(*) * coalesce((c.policy ->> case s.action
  when 'create' then 'price_per_create_usd' else 'price_with_link_usd' end)::numeric, 0)
from sent s join channel c on c.id = s.channel_id
group by s.channel_id, c.policy, s.day, s.action
on conflict do nothing;

grant select, insert, update, delete on spend_hold, spend_stop to rejoinder_may_run, rejoinder_may_publish;
grant delete on spend_resource to rejoinder_may_publish;
