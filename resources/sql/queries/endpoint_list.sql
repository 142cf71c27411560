-- Endpoints and money as people look at them.

-- name: show_endpoints
-- Places are counted as they are given out: leases of processes that live, within their time.
select e.name, e.uri, e.capabilities, e.max_concurrent, e.is_enabled, e.is_configured, e.breaker, e.opened_until,
       e.failures, e.last_ok_at, e.last_failed_at, e.last_error, e.price_in_usd_per_mtok::float8 as price_in,
       e.price_out_usd_per_mtok::float8 as price_out, e.price_as_of, taken.n as load, today.n_calls, today.spent_usd
from model_endpoint e
cross join lateral (
  select count(*)::int as n from endpoint_lease l
  where l.endpoint = e.name and l.expires_at > %(now)s and l.worker in (select worker from living_worker)
) taken
cross join lateral (
  select count(*)::int as n_calls, coalesce(sum(a.cost_usd), 0)::float8 as spent_usd
  from model_run r join model_attempt a on a.model_run_id = r.id
  where r.created_at >= %(day_at)s and a.endpoint = e.name
) today
where e.is_configured or today.n_calls > 0
order by e.name = 'local', e.name

-- name: show_spend
-- What models cost on a UTC day; what a call reserved counts until it is known what it cost.
select scope, key, spent_usd::float8 as spent_usd from model_spend
where day = %(day)s and scope in ('total', 'task')
order by scope desc, spent_usd desc, key
