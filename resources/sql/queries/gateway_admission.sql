-- Places at endpoints of models, the money for calls, the health of endpoints: what the gateway asks before a call and
-- says after it (functions of migration 0014), and what people see of it.

-- name: retake_worker_lock
-- The lock of a number that was ours before the connection broke; false while the server still thinks it held.
select pg_try_advisory_lock(21066, %(worker)s) as is_mine

-- name: forget_waiting_for_disk
-- A commit of this session is there for everybody at once and on the disk within a second: what a crash of the server
-- may lose is that second of bookkeeping, never an answer.
select set_config('synchronous_commit', 'off', false)

-- name: admit_call
select *, %(worker)s::integer as worker from admit_call(
  %(endpoint)s, %(worker)s, %(number)s, %(task)s, %(creator_id)s, %(price_usd)s, %(total_limit)s, %(task_limit)s,
  %(creator_limit)s, %(now)s, %(lasting_s)s, %(may_reap)s,
  %(will_wait)s, %(is_check)s)

-- name: settle_call
select settle_call(
  %(worker)s, %(number)s, %(health)s, %(cost_usd)s, %(error)s, %(now)s, %(open_after)s, %(open_s)s) as is_settled

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
select endpoint, count(*) as n from endpoint_lease where endpoint = any (%(names)s) group by endpoint
