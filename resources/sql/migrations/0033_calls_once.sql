-- A call of a model is recorded once, and looks for kept answers on the way to its place.

-- The name that a call gives itself: what wrote it down unheard, because the connection broke, is written down once.
alter table model_run add column call_id uuid;
create unique index model_run_call on model_run (call_id) where call_id is not null;

-- Writes a call down with every attempt in order; the number of its row, null where the call stands there already.
drop function record_call(text, text, text, bigint, text, text, text, integer, integer, double precision,
  double precision, boolean, boolean, text, jsonb);
create function record_call(
  of_call uuid, of_endpoint text, of_model text, of_task text, of_creator bigint, of_arm text, version text, ref text,
  n_in integer, n_out integer, usd double precision, took_ms double precision, went_well boolean, was_kept boolean,
  error_text text, attempts jsonb
) returns bigint language plpgsql as $$
declare
  run_id bigint;
begin
  insert into model_run (call_id, run_type, model, prompt_version, input_ref, n_items, tokens_in, tokens_out, cost_usd,
    latency_ms, is_ok, error, endpoint, task, creator_id, arm, is_cached)
  values (of_call, 'generate', of_model, version, ref, 1, n_in, n_out, usd, took_ms, went_well, error_text, of_endpoint,
    of_task, (select c.id from creator c where c.id = of_creator), of_arm, was_kept)
  on conflict (call_id) where call_id is not null do nothing
  returning id into run_id;
  if run_id is null then
    return null;
  end if;
  insert into model_attempt (model_run_id, n, endpoint, model, outcome, latency_ms, tokens_in, tokens_out,
    is_estimated, cost_usd, error)
  select run_id, a.n, a.endpoint, a.model, a.outcome, a.latency_ms, a.tokens_in, a.tokens_out, a.is_estimated,
    a.cost_usd, a.error
  from jsonb_to_recordset(attempts) as a (n smallint, endpoint text, model text, outcome text, latency_ms real,
    tokens_in integer, tokens_out integer, is_estimated boolean, cost_usd numeric, error text);
  return run_id;
end $$;

-- Asks admit_call for a place unless an answer is kept under a key that is enough; then its verdict is null and nothing
-- was taken. Kept are the answers under any of the keys; one that was not used for an hour is noted as used now, after
-- the place is taken: the locks of a call come in the order place, money, kept answers.
create function admit_unless_kept(
  keys bytea[], enough bytea[], of_endpoint text, of_worker integer, of_number bigint, of_task text, of_creator bigint,
  price_usd double precision, total_limit double precision, task_limit double precision,
  creator_limit double precision, moment timestamptz, lasting_s double precision, may_reap boolean,
  will_wait boolean, is_check boolean,
  out verdict text, out place integer, out budget text, out spent_usd double precision, out limit_usd double precision,
  out until timestamptz, out reason text,
  out kept_keys bytea[], out kept_replies text[], out kept_checksums bytea[]
) language plpgsql as $$
begin
  select array_agg(c.key), array_agg(c.reply), array_agg(c.checksum) into kept_keys, kept_replies, kept_checksums
  from llm_cache c where c.key = any (keys) and c.expires_at > moment;
  if not coalesce(kept_keys && enough, false) then
    select a.verdict, a.place, a.budget, a.spent_usd, a.limit_usd, a.until, a.reason
    into verdict, place, budget, spent_usd, limit_usd, until, reason
    from admit_call(of_endpoint, of_worker, of_number, of_task, of_creator, price_usd, total_limit, task_limit,
      creator_limit, moment, lasting_s, may_reap, will_wait, is_check) a;
  end if;
  if kept_keys is not null then
    update llm_cache c set used_at = moment where c.key = any (kept_keys) and c.used_at < moment - interval '1 hour';
  end if;
end $$;
