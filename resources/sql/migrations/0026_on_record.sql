-- What is done with the application's login is on record, under the login that did it; and no guard can be led astray.

-- A function looks in pg_temp first unless it is told otherwise: a table of the caller's own could stand in for the
-- one that a guard means to read. A database that was restored without its rights would let one be made.
do $$
declare
  each regprocedure;
begin
  for each in
    select p.oid::regprocedure from pg_proc p
    where p.pronamespace = 'public'::regnamespace
      and pg_get_userbyid(p.proowner) = current_user
      and (p.prosecdef or p.prorettype = 'trigger'::regtype or p.proname in ('guard_sending', 'words_of'))
  loop
    execute format('alter function %s set search_path = public, pg_temp', each);
  end loop;
end $$;
do $$
begin
  execute format('revoke temporary, create on database %I from public', current_database());
end $$;

-- A real channel speaks to the real platform, a sandbox to this machine: nobody can point one elsewhere and be sent
-- its secrets. Rows of before are looked at when they change.
alter table channel add constraint channel_address check (
  case when is_sandbox then coalesce(base_url, 'http://localhost') ~ '^https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?/?$'
       else base_url is null end
) not valid;

-- Whose login wrote a row of the audit, and when, is not for the writer to say.
alter table audit_event add column login text not null default session_user;
create function is_owner() returns boolean language sql stable set search_path = public, pg_temp as $$
  select pg_has_role(session_user, (select relowner from pg_class where oid = 'public.audit_event'::regclass), 'member')
$$;
create function sign_audit_event() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if not is_owner() then
    new.login := session_user;
    new.created_at := now();
  end if;
  return new;
end $$;
create trigger audit_event_signed before insert on audit_event for each row execute function sign_audit_event();

-- An approval, an account, a channel, a lifted pause, a settled outcome: each needs a row of the audit that names who,
-- written in the same transaction. Told at its end, so that a command may write the two in any order.
create function is_on_record(of_type text, of_id bigint, by_person bigint) returns boolean
language sql stable set search_path = public, pg_temp as $$
  select is_owner() or exists (
    select from audit_event e
    where e.entity_type = of_type and e.entity_id is not distinct from of_id and e.created_at = now()
      and (by_person is null or e.person_id = by_person)
  )
$$;
create function need_record() returns trigger language plpgsql set search_path = public, pg_temp as $$
declare
  is_there boolean;
begin
  is_there := case tg_table_name
    when 'review' then is_on_record('post', (to_jsonb(new) ->> 'post_id')::bigint, (to_jsonb(new) ->> 'reviewer_id')::bigint)
    when 'publication'
      then is_on_record('publication', (to_jsonb(new) ->> 'id')::bigint, (to_jsonb(new) ->> 'settled_by')::bigint)
    when 'pause' then is_on_record(
      case when (to_jsonb(new) ->> 'channel_id') is null then 'publishing' else 'channel' end,
      (to_jsonb(new) ->> 'channel_id')::bigint, (to_jsonb(new) ->> 'resumed_by')::bigint)
    else is_on_record(tg_table_name, (to_jsonb(new) ->> 'id')::bigint, null)
  end;
  if not is_there then
    raise exception 'a change of % without a row of the audit that names who made it', tg_table_name
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$;
create constraint trigger review_on_record after insert on review
  deferrable initially deferred for each row execute function need_record();
create constraint trigger person_added_on_record after insert on person
  deferrable initially deferred for each row execute function need_record();
create constraint trigger person_changed_on_record after update of role, is_active on person
  deferrable initially deferred for each row
  when ((old.role, old.is_active) is distinct from (new.role, new.is_active)) execute function need_record();
create constraint trigger channel_added_on_record after insert on channel
  deferrable initially deferred for each row when (not new.is_sandbox) execute function need_record();
create constraint trigger channel_changed_on_record after update on channel
  deferrable initially deferred for each row
  when (not new.is_sandbox and (old.account, old.is_enabled, old.policy) is distinct from
    (new.account, new.is_enabled, new.policy)) execute function need_record();
create constraint trigger pause_lifted_on_record after update on pause
  deferrable initially deferred for each row
  when (new.resumed_at is distinct from old.resumed_at) execute function need_record();
create constraint trigger publication_settled_on_record after update on publication
  deferrable initially deferred for each row
  when (new.settled_by is not null and new.settled_by is distinct from old.settled_by) execute function need_record();

-- The publisher sends; that a person settled something it cannot write, so nothing unseen goes out again on its word.
-- A pause is lifted by somebody who may approve.
create function guard_settled_by() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if not is_owner() and pg_has_role(session_user, 'rejoinder_may_publish', 'member') and (
    -- A new attempt begins without anybody's word; the rest of a thread may follow once no part of it is in doubt.
    (new.settled_by is distinct from old.settled_by and new.settled_by is not null)
    or ((old.state, new.state) = ('unknown', 'queued') and exists (
      select from publication_part a where a.publication_id = new.id and a.state not in ('queued', 'sent')))
  ) then
    raise exception 'publication %: only a person settles it', old.id using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger publication_settled_by before update on publication
  for each row execute function guard_settled_by();
-- What is being sent is the publisher's alone: whoever else put it back into the queue would have it go out twice.
create function guard_outcome() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if not is_owner() and not pg_has_role(session_user, 'rejoinder_may_publish', 'member') then
    raise exception 'only the publisher says what became of what it sends' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger publication_outcome before update on publication
  for each row when (old.state = 'sending' and new.state <> 'sending') execute function guard_outcome();
create trigger publication_part_outcome before update on publication_part
  for each row when (old.state = 'sending' and new.state <> 'sending') execute function guard_outcome();
create function guard_resumed_by() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if is_owner() then
    return new;
  end if;
  if (new.channel_id, new.paused_at) is distinct from (old.channel_id, old.paused_at) or old.resumed_at is not null
    or not exists (
      select from person d where d.id = new.resumed_by and d.role in ('approver', 'admin') and d.is_active
    ) then
    raise exception 'a pause is lifted once, by somebody who may approve' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger pause_resumed_by before update on pause for each row execute function guard_resumed_by();
