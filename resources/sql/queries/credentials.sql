-- name: share_sealing
-- Held to the end of the transaction by whoever stores a credential: keys are not replaced meanwhile.
select pg_advisory_xact_lock_shared(21082)

-- name: hold_sealing
-- Held by the session that replaces keys.
select pg_advisory_lock(21082)

-- name: limit_lock_wait
-- For this session: how long it waits for what others hold.
select set_config('lock_timeout', %(patience)s, false)

-- name: store_read_credential
insert into channel_read_credential (channel_id, key_id, box) values (%(channel_id)s, %(key_id)s, %(box)s)
on conflict (channel_id) do update set key_id = excluded.key_id, box = excluded.box, updated_at = now()

-- name: store_write_credential
select store_write_credential(%(channel_id)s, %(key_id)s, %(box)s)

-- name: read_credential
select key_id, box from channel_read_credential where channel_id = %(channel_id)s

-- name: write_credential
select key_id, box from channel_write_credential where channel_id = %(channel_id)s

-- name: credential_seals
select s.channel_id, c.name as channel, c.platform, s.kind, s.key_id, s.sealed_at
from credential_seal s join channel c on c.id = s.channel_id
order by c.id, s.kind

-- name: sealed_rows
-- tables: channel_read_credential, channel_write_credential
select s.channel_id, c.name as channel, s.key_id, s.box
from {table} s join channel c on c.id = s.channel_id
order by s.channel_id

-- name: reseal_row
-- tables: channel_read_credential, channel_write_credential
-- Of the key that it was read with only: whoever stored another one meanwhile stored the newer secret.
update {table} set key_id = %(key_id)s, box = %(box)s, updated_at = now()
where channel_id = %(channel_id)s and key_id = %(old_key_id)s

-- name: hold_plain_rows
-- Held to the end of the transaction by whoever seals what an earlier version stored.
select pg_advisory_xact_lock(21083)

-- name: keep_sealed_row
-- tables: channel_read_credential, channel_write_credential
-- A secret that was given anew since is newer than the one of before.
insert into {table} (channel_id, key_id, box) values (%(channel_id)s, %(key_id)s, %(box)s)
on conflict (channel_id) do nothing
