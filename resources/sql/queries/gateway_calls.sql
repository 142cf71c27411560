-- name: kept_answers
-- Answers that are kept under any of these keys; one that was not used for an hour is noted as used now.
with found as (
  select key, reply, checksum, used_at from llm_cache
  where key = any(%(keys)s::bytea[]) and expires_at > %(now)s
), used as (
  update llm_cache c set used_at = %(now)s
  from found f
  where c.key = f.key and f.used_at < %(now)s - interval '1 hour'
)
select key, reply, checksum from found

-- name: record_call
-- One call with every attempt in order; null where that call stands there already.
select record_call(
  %(call_id)s, %(endpoint)s, %(model)s, %(task)s, %(creator_id)s, %(arm)s, %(prompt_version)s, %(input_ref)s, %(tokens_in)s,
  %(tokens_out)s, %(cost_usd)s, %(latency_ms)s, %(is_ok)s, %(is_cached)s, %(error)s, %(attempts)s::jsonb) as model_run_id

-- name: finish_call
-- All that an answered call leaves behind, where it does: its lease settled, the call on record, the answer kept. All
-- of it is done, or nothing.
select case when %(place)s::integer is not null then settle_call(
    %(lease_endpoint)s, %(place)s::integer, %(lease_worker)s, %(number)s, 'good', %(charged_usd)s, null, %(now)s, 1, 1)
  end as is_settled,
  record_call(
    %(call_id)s, %(endpoint)s, %(model)s, %(task)s, %(creator_id)s, %(arm)s, %(prompt_version)s, %(input_ref)s, %(tokens_in)s,
    %(tokens_out)s, %(cost_usd)s, %(latency_ms)s, %(is_ok)s, %(is_cached)s, %(error)s, %(attempts)s::jsonb) as model_run_id,
  case when %(key)s::bytea is not null then keep_answer(
    %(key)s::bytea, %(reply)s, %(checksum)s::bytea, %(size_bytes)s, %(input_ref)s, %(kept_at)s, %(expires_at)s)
  end as kept

-- name: drop_answers
-- Takes out answers that are damaged.
delete from llm_cache where key = any(%(keys)s::bytea[])

-- name: trim_answers
-- Takes out what is out of date and, longest unused first, what is too much; one process at a time does so.
with alone as materialized (
  select pg_try_advisory_xact_lock(21077, 0) as is_so
), aged as (
  select key, expires_at, sum(size_bytes) over (order by used_at desc, key) as bytes_so_far
  from llm_cache
  where (select is_so from alone)
), gone as (
  delete from llm_cache c
  using aged a
  where c.key = a.key and (a.bytes_so_far > %(most_bytes)s or a.expires_at <= %(now)s)
  returning c.size_bytes
)
select count(*)::int as n, coalesce(sum(size_bytes), 0)::bigint as size_bytes from gone
