-- A sink that is no longer configured: what waited for it is dropped, and it is not told of the past when it comes back.
alter table notification_sink
  -- when a deliverer last had it in its configuration
  add column seen_at timestamptz not null default now(),
  add column removed_at timestamptz;

-- dropped: there is nobody to send it to, or nothing to tell any more; last_error says which.
alter table notification_delivery
  drop constraint notification_delivery_state_check,
  add constraint notification_delivery_state_check check (state in ('pending', 'sent', 'dead', 'dropped')),
  drop constraint notification_delivery_event_check,
  add constraint notification_delivery_event_check check (event in ('began', 'reminded', 'ended'));

-- A sink is told once that something began and once that it is over, and in between it may be reminded again and again.
alter table notification_told
  drop constraint notification_told_event_check,
  add constraint notification_told_event_check check (event in ('began', 'reminded', 'ended')),
  drop constraint notification_told_pkey,
  add primary key (sink, notification_id, event, delivery_id);
create unique index notification_told_once on notification_told (sink, notification_id, event) where event <> 'reminded';

-- Messages of long ago are forgotten.
create index notification_delivery_over on notification_delivery (created_at) where state in ('sent', 'dropped');
grant delete on notification_delivery, notification_told to rejoinder_may_run;

-- Group roles are the whole server's, not one database's: the login of another installation on this server belongs to the
-- same groups, and so may enter nowhere but its own database. Provisioning lets this one's logins in by name.
do $$
begin
  execute format(
    'revoke connect on database %I from public, rejoinder_may_run, rejoinder_may_publish', current_database()
  );
end $$;
