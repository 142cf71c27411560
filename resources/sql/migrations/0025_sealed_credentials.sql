-- Credentials are stored sealed, with keys that are kept elsewhere (docs/adr/0020): key_id names the key, box is
-- the nonce and what AES-256-GCM makes of the fields, bound to the channel and to the kind of credential.

-- What was stored before waits in tables of its own, which nobody but the owner may read, until provisioning has
-- sealed it and drops them.
alter table channel_read_credential rename to unsealed_read_credential;
alter table unsealed_read_credential rename constraint channel_read_credential_pkey to unsealed_read_credential_pkey;
alter table channel_write_credential rename to unsealed_write_credential;
alter table unsealed_write_credential rename constraint channel_write_credential_pkey to unsealed_write_credential_pkey;
revoke all on unsealed_read_credential, unsealed_write_credential from rejoinder_may_run, rejoinder_may_publish;
do $$
begin
  if not exists (select from unsealed_read_credential) then
    drop table unsealed_read_credential;
  end if;
  if not exists (select from unsealed_write_credential) then
    drop table unsealed_write_credential;
  end if;
end $$;

create table channel_read_credential (
  channel_id bigint primary key references channel,
  key_id text not null,
  box bytea not null check (octet_length(box) > 28),
  updated_at timestamptz not null default now()
);
create table channel_write_credential (like channel_read_credential including all);
alter table channel_write_credential add foreign key (channel_id) references channel;

-- Which key sealed what, and when: for those who may not see the boxes themselves.
create view credential_seal as
select channel_id, 'read' as kind, key_id, updated_at as sealed_at from channel_read_credential
union all
select channel_id, 'write', key_id, updated_at from channel_write_credential;

drop function store_write_credential(bigint, jsonb);
-- The application may put a write credential in, only the publisher may take one out.
create function store_write_credential(of_channel bigint, new_key_id text, new_box bytea) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  insert into channel_write_credential (channel_id, key_id, box) values (of_channel, new_key_id, new_box)
  on conflict (channel_id) do update set key_id = excluded.key_id, box = excluded.box, updated_at = now()
$$;
revoke all on function store_write_credential from public;
grant execute on function store_write_credential to rejoinder_may_run;
grant select, insert, update on channel_read_credential to rejoinder_may_run;
grant select on channel_write_credential to rejoinder_may_publish;
grant select on credential_seal to rejoinder_may_run, rejoinder_may_publish;
