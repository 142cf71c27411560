-- Places at endpoints of models, the money for calls, the health of endpoints: what the gateway asks before a call and
-- says after it (functions of migration 0014), and what people see of it.

-- name: retake_worker_lock
-- The lock of a number that was ours before the connection broke; false while the server still thinks it held.
select pg_try_advisory_lock(21066, %(worker)s) as is_mine

-- name: begin_holding
-- A commit of this session is there for everybody at once and on the disk within a second: what a crash of the server
-- may lose is that second of bookkeeping, never an answer. Its statements look up single rows, whatever their values:
-- they are planned once.
select set_config('synchronous_commit', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false)

-- name: admit_call
select *, %(worker)s::integer as worker from admit_call(
  %(endpoint)s, %(worker)s, %(number)s, %(task)s, %(creator_id)s, %(price_usd)s, %(total_limit)s, %(task_limit)s,
  %(creator_limit)s, %(now)s, %(lasting_s)s, %(may_reap)s,
  %(will_wait)s, %(is_check)s)

-- name: admit_unless_kept
-- The same, where no answer is kept under a key that is enough; kept are the answers under any of the keys.
select a.*, %(worker)s::integer as worker from admit_unless_kept(
  %(keys)s::bytea[], %(enough)s::bytea[], %(endpoint)s, %(worker)s, %(number)s, %(task)s, %(creator_id)s, %(price_usd)s,
  %(total_limit)s, %(task_limit)s, %(creator_limit)s, %(now)s, %(lasting_s)s, %(may_reap)s, %(will_wait)s, %(is_check)s) a

-- name: settle_call
select settle_call(
  %(endpoint)s, %(place)s, %(worker)s, %(number)s, %(health)s, %(cost_usd)s, %(error)s, %(now)s, %(open_after)s, %(open_s)s) as is_settled

-- name: save_endpoint
-- Written only where something differs; another model or address has another health.
insert into model_endpoint as e (
  name, uri, base_url, capabilities, max_concurrent, timeout_s, price_in_usd_per_mtok, price_out_usd_per_mtok,
  price_as_of, weight)
values (
  %(name)s, %(uri)s, %(base_url)s, %(capabilities)s, %(max_concurrent)s, %(timeout_s)s, %(price_in)s, %(price_out)s,
  %(price_as_of)s, %(weight)s)
on conflict (name) do update
set uri = excluded.uri, base_url = excluded.base_url, capabilities = excluded.capabilities,
    max_concurrent = excluded.max_concurrent, timeout_s = excluded.timeout_s,
    price_in_usd_per_mtok = excluded.price_in_usd_per_mtok, price_out_usd_per_mtok = excluded.price_out_usd_per_mtok,
    price_as_of = excluded.price_as_of, weight = excluded.weight, is_configured = true,
    breaker = case when (e.uri, e.base_url) is distinct from (excluded.uri, excluded.base_url) then 'closed'
      else e.breaker end,
    failures = case when (e.uri, e.base_url) is distinct from (excluded.uri, excluded.base_url) then 0
      else e.failures end,
    opened_until = case when (e.uri, e.base_url) is distinct from (excluded.uri, excluded.base_url) then null
      else e.opened_until end
where (e.uri, e.base_url, e.capabilities, e.max_concurrent, e.timeout_s, e.price_in_usd_per_mtok,
    e.price_out_usd_per_mtok, e.price_as_of, e.weight, e.is_configured)
  is distinct from (excluded.uri, excluded.base_url, excluded.capabilities, excluded.max_concurrent,
    excluded.timeout_s, excluded.price_in_usd_per_mtok, excluded.price_out_usd_per_mtok, excluded.price_as_of,
    excluded.weight, true)

-- name: retire_endpoints
-- Those that rejoinder.toml names no more; their rows stay for what they answered.
update model_endpoint set is_configured = false where is_configured and not name = any (%(names)s)

-- name: endpoint_loads
select endpoint, count(*) as n from endpoint_lease
where endpoint = any (%(names)s) and worker is not null group by endpoint

-- name: endpoint_statuses
-- How endpoints are: the places that living processes hold now, and what was spent on each of them today.
select e.name, e.uri, e.base_url, e.capabilities, e.max_concurrent, e.price_in_usd_per_mtok::float8 as price_in,
  e.price_out_usd_per_mtok::float8 as price_out, e.price_as_of, e.weight, e.is_enabled, e.is_configured, e.breaker,
  e.failures, e.opened_until, e.last_ok_at, e.last_failed_at, e.last_error, coalesce(l.n, 0) as load,
  (coalesce(s.spent_usd, 0) - coalesce(l.reserved_usd, 0))::float8 as spent_usd,
  coalesce(l.reserved_usd, 0)::float8 as reserved_usd
from model_endpoint e
left join (
  select endpoint, count(*) as n, sum(reserved_usd) filter (where day = %(today)s::date) as reserved_usd
  from endpoint_lease
  where expires_at > now() and worker in (select worker from living_worker)
  group by endpoint
) l on l.endpoint = e.name
left join model_spend s on s.day = %(today)s::date and s.scope = 'endpoint' and s.key = e.name
order by e.is_configured desc, e.name

-- name: spend_by_day
-- Money by day, newest first; what calls that are under way reserved stands apart from what is spent.
select s.day, s.scope, s.key, c.name as creator, (s.spent_usd - coalesce(r.usd, 0))::float8 as spent_usd,
  coalesce(r.usd, 0)::float8 as reserved_usd
from model_spend s
left join creator c on s.scope = 'creator' and c.id::text = s.key
left join (
  select l.day, v.scope, v.key, sum(l.reserved_usd) as usd
  from endpoint_lease l
  cross join lateral (values ('total', ''), ('task', l.task), ('creator', l.creator_id::text), ('endpoint', l.endpoint))
    v (scope, key)
  where l.expires_at > now() and l.worker in (select worker from living_worker) and v.key is not null
  group by 1, 2, 3
) r on r.day = s.day and r.scope = s.scope and r.key = s.key
where s.day > %(today)s::date - %(days)s::integer
order by s.day desc, array_position(array['total', 'task', 'creator', 'endpoint'], s.scope), s.key

-- name: switch_endpoint
update model_endpoint set is_enabled = %(is_enabled)s
where name = %(name)s and is_enabled <> %(is_enabled)s
returning name

-- name: reset_endpoint
-- Called again at once, as if it had never failed.
update model_endpoint set breaker = 'closed', failures = 0, opened_until = null
where name = %(name)s and (breaker <> 'closed' or failures > 0)
returning name, last_error

-- name: endpoint_is_known
select exists (select from model_endpoint where name = %(name)s) as is_known
