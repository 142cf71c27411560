-- What the doctor asks the database, and what `up` asks before it stops it.

-- name: server_facts
select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
       (select extversion from pg_extension where extname = 'vector') as vector

-- name: has_migration_ledger
select to_regclass('public.schema_migration') is not null as found

-- name: applied_migrations
select number, name, sha256 from schema_migration order by number

-- name: roles_that_may_too_much
-- Logins of the application that could change tables: superusers, owners, those who may create in the schema; and one
-- that may both decide and send.
select r.rolname as role
from pg_roles r
where r.rolname = any(%(roles)s)
  and (r.rolsuper or r.rolcreaterole or r.rolbypassrls
       or has_schema_privilege(r.oid, 'public', 'CREATE')
       or pg_has_role(r.oid, current_user::regrole::oid, 'MEMBER')
       or (pg_has_role(r.oid, 'rejoinder_may_run', 'MEMBER') and pg_has_role(r.oid, 'rejoinder_may_publish', 'MEMBER')))
order by r.rolname

-- name: roles_found
select rolname as role from pg_roles where rolname = any(%(roles)s) order by rolname

-- name: logins_shut_out
-- Logins that may not enter this database.
select rolname as role from pg_roles
where rolname = any(%(roles)s) and not has_database_privilege(oid, current_database(), 'CONNECT')
order by rolname

-- name: let_in_unnamed
-- Everybody and groups of the server that may enter this database; where its rights were never changed, everybody.
select case a.grantee when 0 then 'PUBLIC' else a.grantee::regrole::text end as role
from pg_database d cross join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
where d.datname = current_database() and a.privilege_type = 'CONNECT'
  and (a.grantee = 0 or a.grantee in (select oid from pg_roles where rolname = any(%(groups)s)))
order by 1

-- name: logins_not_named
-- These logins, and the one that asks, as far as nobody let them in by name and they do not own the database.
select r.rolname as role
from pg_roles r join pg_database d on d.datname = current_database()
where (r.rolname = any(%(roles)s) or r.rolname = current_user) and not pg_has_role(r.oid, d.datdba, 'USAGE')
  and not exists (select from aclexplode(d.datacl) a where a.grantee = r.oid and a.privilege_type = 'CONNECT')
order by r.rolname

-- name: other_connections
select count(*) as connections
from pg_stat_activity
where datname is not null and usesysid is not null and pid <> pg_backend_pid()

-- name: has_sealed_credentials
select to_regclass('public.credential_seal') is not null as found

-- name: credentials_to_open
-- What the doctor opens, as the owner.
select s.channel_id, s.kind, s.key_id, c.name as channel, c.platform, coalesce(r.box, w.box) as box
from credential_seal s
join channel c on c.id = s.channel_id
left join channel_read_credential r on s.kind = 'read' and r.channel_id = s.channel_id
left join channel_write_credential w on s.kind = 'write' and w.channel_id = s.channel_id
order by c.id, s.kind
