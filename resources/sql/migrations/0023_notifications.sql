-- Notifications leave the app: an outbox of messages per sink, and when the state that a notice tells of was over.
alter table notification add column ended_at timestamptz check (ended_at >= created_at);
create index notification_created on notification (created_at);
create index notification_open on notification (kind, entity_type, entity_id) where ended_at is null;
create index notification_unread on notification (id) where read_at is null;

-- A sink is told of what came after it was first seen, not of the past.
create table notification_sink (
  name text primary key,
  known_since timestamptz not null default now(),
  -- when its last message was put together
  gathered_at timestamptz,
  failures integer not null default 0 check (failures >= 0),
  rests_until timestamptz
);

-- One message to one sink; what it says stays the same however often it is sent.
create table notification_delivery (
  id bigint generated always as identity primary key,
  sink text not null references notification_sink,
  event text not null check (event in ('began', 'ended')),
  state text not null default 'pending' check (state in ('pending', 'sent', 'dead')),
  attempts integer not null default 0 check (attempts >= 0),
  due_at timestamptz not null default now(),
  lease_until timestamptz,
  last_error text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  check ((state = 'sent') = (sent_at is not null))
);
create index notification_delivery_due on notification_delivery (sink, id) where state = 'pending';
create index notification_delivery_dead on notification_delivery (id) where state = 'dead';

-- A sink is told once of each notice, and once that it is over.
create table notification_told (
  sink text not null references notification_sink,
  notification_id bigint not null references notification,
  event text not null check (event in ('began', 'ended')),
  delivery_id bigint not null references notification_delivery,
  primary key (sink, notification_id, event)
);
create index notification_told_delivery on notification_told (delivery_id);

grant select, insert, update on notification_sink, notification_delivery to rejoinder_may_run;
grant select, insert on notification_told to rejoinder_may_run;
