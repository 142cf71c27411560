-- Calls of models by day, task, endpoint and side of an A/B test: how many, how well, how fast, at which cost.
select day, run_type, coalesce(task, run_type) as task, endpoint, model, arm, count(*) as calls,
       avg(cast(is_ok as integer)) as ok_share, avg(cast(is_cached as integer)) as cached_share,
       cast(sum(tokens_in) as bigint) as tokens_in, cast(sum(tokens_out) as bigint) as tokens_out,
       sum(cost_usd) as cost_usd, sum(cost_usd) / count(*) as usd_per_call,
       quantile_cont(latency_ms, 0.5) filter (where is_ok and not is_cached) as latency_p50_ms,
       quantile_cont(latency_ms, 0.95) filter (where is_ok and not is_cached) as latency_p95_ms
from model_runs
group by all
order by day, task, endpoint, model, arm
