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
-- One call with every attempt in order.
with run as (
  insert into model_run
    (run_type, model, prompt_version, input_ref, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok, error,
     endpoint, task, creator_id, arm, is_cached)
  values
    ('generate', %(model)s, %(prompt_version)s, %(input_ref)s, 1, %(tokens_in)s, %(tokens_out)s, %(cost_usd)s,
     %(latency_ms)s, %(is_ok)s, %(error)s, %(endpoint)s, %(task)s,
     (select id from creator where id = %(creator_id)s), %(arm)s, %(is_cached)s)
  returning id
)
insert into model_attempt
  (model_run_id, n, endpoint, model, outcome, latency_ms, tokens_in, tokens_out, is_estimated, cost_usd, error)
select run.id, a.n, a.endpoint, a.model, a.outcome, a.latency_ms, a.tokens_in, a.tokens_out, a.is_estimated,
       a.cost_usd, a.error
from run, jsonb_to_recordset(%(attempts)s::jsonb) as a (
  n smallint, endpoint text, model text, outcome text, latency_ms real, tokens_in integer, tokens_out integer,
  is_estimated boolean, cost_usd numeric, error text)

-- name: keep_answer
insert into llm_cache (key, reply, checksum, size_bytes, created_at, used_at, expires_at)
values (%(key)s, %(reply)s, %(checksum)s, %(size_bytes)s, %(now)s, %(now)s, %(expires_at)s)
on conflict (key) do update
  set reply = excluded.reply, checksum = excluded.checksum, size_bytes = excluded.size_bytes,
      created_at = excluded.created_at, used_at = excluded.used_at, expires_at = excluded.expires_at

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
