-- Prompts: their versions, and which one is in force.

-- name: ensure_prompt_version
-- A version is a hash of its content: what differs can only be a row that an earlier release wrote.
insert into prompt_version (version, task, name, body, demos)
values (%(version)s, %(task)s, %(name)s, %(body)s, %(demos)s)
on conflict (version) do update set body = excluded.body, demos = excluded.demos
where (prompt_version.body, prompt_version.demos) is distinct from (excluded.body, excluded.demos)

-- name: ensure_champion
-- One that has no front matter is of an earlier release, its file is gone, and it cannot be used.
insert into prompt_alias (task, alias, version, agreed) values (%(task)s, 'champion', %(version)s, %(version)s)
on conflict (task, alias) do update set version = excluded.version, agreed = excluded.agreed, changed_at = now()
where exists (select from prompt_version p where p.version = prompt_alias.version and p.body not like '---%%')

-- name: prompts_in_force
select a.alias, p.version, p.task, p.name, p.body, p.demos::text
from prompt_alias a join prompt_version p on p.version = a.version
where a.task = %(task)s

-- name: prompt_of_version
select version, task, name, body, demos::text from prompt_version where version = %(version)s

-- name: stored_prompts
select version, task, name, body, demos::text from prompt_version order by task, created_at, name, version

-- name: versions_of_task
-- A body without front matter cannot be used.
select version, body like '---%%' as is_usable from prompt_version where task = %(task)s

-- name: find_prompt_versions
-- By the beginning of the version, or by the file's name.
select version, task, name from prompt_version
where version ^@ %(text)s::text or name = %(text)s::text
order by version

-- name: list_prompt_versions
select p.version, p.task, p.name, p.body, p.created_at, p.registered_at, a.alias, a.changed_at,
       p.demos::text, used.n_drafts, decided.n_decided, decided.n_approved, called.n_calls
from prompt_version p
left join prompt_alias a on a.version = p.version
-- a person's own text is based on a draft, it is none of the prompt's
cross join lateral (
  select count(*)::int as n_drafts from draft d where d.prompt_version = p.version and d.author_id is null
) used
cross join lateral (
  select count(*)::int as n_decided, (count(*) filter (where r.decision = 'approved'))::int as n_approved
  from draft d join review r on r.draft_id = d.id
  where d.prompt_version = p.version and not r.is_simulated
) decided
cross join lateral (select count(*)::int as n_calls from model_run m where m.prompt_version = p.version) called
where %(task)s::text is null or p.task = %(task)s
order by p.task, p.created_at desc, p.name desc, p.version

-- name: list_prompt_aliases
select task, alias, version, previous, agreed, changed_at from prompt_alias
where %(task)s::text is null or task = %(task)s
order by task, alias

-- name: lock_prompt_task
select pg_advisory_xact_lock(21070, hashtext(%(task)s))

-- name: set_prompt_alias
insert into prompt_alias (task, alias, version, changed_at)
values (%(task)s, %(alias)s, %(version)s, now())
on conflict (task, alias) do update
set version = excluded.version, previous = coalesce(prompt_alias.version, prompt_alias.previous), changed_at = now()
where prompt_alias.version is distinct from excluded.version

-- name: agree_on_prompt_alias
-- Both registries have this now.
update prompt_alias set agreed = %(version)s
where task = %(task)s and alias = %(alias)s and agreed is distinct from %(version)s

-- name: mark_prompts_registered
update prompt_version set registered_at = now() where version = any (%(versions)s) and registered_at is null

-- name: count_prompts_to_bring
-- Versions that MLflow does not have, and aliases that were changed here since both agreed. A body without front
-- matter is a version of an earlier release whose file is gone: it cannot be registered.
select (select count(*) from prompt_version where registered_at is null and body like '---%%')::int
     + (select count(*) from prompt_alias where version is distinct from agreed)::int as n
