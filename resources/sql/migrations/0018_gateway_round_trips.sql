-- Fewer round trips and less planning for a call of a model; no second probe beside one that is just ending.

-- Takes a place and reserves the price, or says why not: 'unknown' (no such endpoint), 'disabled', 'open' (the circuit
-- breaker leaves it alone until `until`), 'full', 'budget' (which one, what of it is gone). Asked twice for the same
-- lease, because the answer got lost, it says 'admitted' twice and takes one place. Who will_wait stands in the queue of
-- processes until it asks again. A check by a person (is_check) goes past breaker and switch, and counts as the
-- breaker's probe.
-- Locks are taken in one order everywhere: endpoint, money, the endpoint's row. An endpoint that is not closed is let
-- through only as it was read: a probe that ends meanwhile opens or closes it, and what was read of it is out of date.
create or replace function admit_call(
  of_endpoint text, of_worker integer, of_number bigint, of_task text, of_creator bigint, price_usd double precision,
  total_limit double precision, task_limit double precision, creator_limit double precision,
  moment timestamptz, lasting_s double precision, may_reap boolean, will_wait boolean,
  is_check boolean,
  out verdict text, out place integer, out budget text, out spent_usd double precision, out limit_usd double precision,
  out until timestamptz, out reason text
) language plpgsql as $$
declare
  e model_endpoint%rowtype;
  today date := (moment at time zone 'UTC')::date;
  price numeric(14, 8) := price_usd;
  mine endpoint_waiter%rowtype;
  taken integer;
  made integer;
  free integer;
  ahead integer;
begin
  perform pg_advisory_xact_lock(21074, hashtext(of_endpoint));
  select * into e from model_endpoint m where m.name = of_endpoint;
  if not found then
    verdict := 'unknown';
    return;
  end if;
  select count(l.worker), count(*), min(l.place) filter (where l.worker is null),
    min(l.place) filter (where l.worker = of_worker and l.number = of_number)
  into taken, made, free, place
  from endpoint_lease l where l.endpoint = of_endpoint;
  if place is not null then
    verdict := 'admitted';
    return;
  end if;
  reason := e.last_error;
  until := e.opened_until;
  if not e.is_enabled and not is_check then
    verdict := 'disabled';
    return;
  end if;
  if e.breaker <> 'closed' and not is_check and not may_probe(e, moment) then
    verdict := 'open';
    return;
  end if;
  if taken >= e.max_concurrent and may_reap then
    select taken - count(*), coalesce(min(freed), free) into taken, free from reap_leases(of_endpoint, moment) freed;
  end if;
  select * into mine from endpoint_waiter w where w.endpoint = of_endpoint and w.worker = of_worker;
  select count(*) into ahead from endpoint_waiter w
  where w.endpoint = of_endpoint and w.worker <> of_worker and w.seen_at > clock_timestamp() - interval '2 s'
    and (mine.since is null or (w.since, w.worker) < (mine.since, of_worker));
  if taken + ahead >= e.max_concurrent then
    perform wait_at(of_endpoint, of_worker, will_wait);
    verdict := 'full';
    return;
  end if;
  if mine.since is not null then
    perform wait_at(of_endpoint, of_worker, false);
  end if;
  if price > 0 then
    perform pg_advisory_xact_lock(21075, 0);
    select b.scope, coalesce(s.spent_usd, 0), b.most into budget, spent_usd, limit_usd
    from (values (1, 'total', '', total_limit), (2, 'task', of_task, task_limit),
      (3, 'creator', of_creator::text, creator_limit)) b (n, scope, key, most)
    left join model_spend s on s.day = today and s.scope = b.scope and s.key = b.key
    where b.key is not null and coalesce(s.spent_usd, 0) + price > b.most::numeric
    order by b.n limit 1;
    if found then
      verdict := 'budget';
      return;
    end if;
  end if;
  if e.breaker <> 'closed' then
    update model_endpoint m set breaker = 'half_open'
    where m.name = of_endpoint and m.breaker <> 'closed'
      and (is_check or (m.breaker, m.opened_until) = (e.breaker, e.opened_until));
    if not found then
      select * into e from model_endpoint m where m.name = of_endpoint;
      if e.breaker <> 'closed' then
        verdict := 'open';
        reason := e.last_error;
        until := e.opened_until;
        place := null;
        return;
      end if;
    end if;
  end if;
  if price > 0 then
    perform count_money(today, of_task, of_creator, of_endpoint, price);
  end if;
  place := coalesce(free, made + 1);
  insert into endpoint_lease as l
  values (of_endpoint, place, of_worker, of_number, of_task, of_creator, today, price, e.breaker <> 'closed', moment,
    moment + make_interval(secs => lasting_s))
  on conflict on constraint endpoint_lease_pkey do update
  set (worker, number, task, creator_id, day, reserved_usd, is_probe, taken_at, expires_at) = (excluded.worker,
    excluded.number, excluded.task, excluded.creator_id, excluded.day, excluded.reserved_usd, excluded.is_probe,
    excluded.taken_at, excluded.expires_at);
  verdict := 'admitted';
end $$;

-- It is part of admit_call now: as a function of its own it was planned anew by every call.
drop function n_ahead(text, integer, timestamptz);

-- Writes a call down with every attempt in order; the number of its row.
create function record_call(
  of_endpoint text, of_model text, of_task text, of_creator bigint, of_arm text, version text, ref text,
  n_in integer, n_out integer, usd double precision, took_ms double precision, went_well boolean, was_kept boolean,
  error_text text, attempts jsonb
) returns bigint language plpgsql as $$
declare
  run_id bigint;
begin
  insert into model_run (run_type, model, prompt_version, input_ref, n_items, tokens_in, tokens_out, cost_usd,
    latency_ms, is_ok, error, endpoint, task, creator_id, arm, is_cached)
  values ('generate', of_model, version, ref, 1, n_in, n_out, usd, took_ms, went_well, error_text, of_endpoint, of_task,
    (select c.id from creator c where c.id = of_creator), of_arm, was_kept)
  returning id into run_id;
  insert into model_attempt (model_run_id, n, endpoint, model, outcome, latency_ms, tokens_in, tokens_out,
    is_estimated, cost_usd, error)
  select run_id, a.n, a.endpoint, a.model, a.outcome, a.latency_ms, a.tokens_in, a.tokens_out, a.is_estimated,
    a.cost_usd, a.error
  from jsonb_to_recordset(attempts) as a (n smallint, endpoint text, model text, outcome text, latency_ms real,
    tokens_in integer, tokens_out integer, is_estimated boolean, cost_usd numeric, error text);
  return run_id;
end $$;

-- Keeps an answer, in the place of what was kept under its key.
create function keep_answer(
  of_key bytea, of_reply text, of_checksum bytea, bytes integer, ref text, moment timestamptz, until timestamptz
) returns void language plpgsql as $$
begin
  insert into llm_cache (key, reply, checksum, size_bytes, input_ref, created_at, used_at, expires_at)
  values (of_key, of_reply, of_checksum, bytes, ref, moment, moment, until)
  on conflict (key) do update
  set reply = excluded.reply, checksum = excluded.checksum, size_bytes = excluded.size_bytes, input_ref = excluded.input_ref,
    created_at = excluded.created_at, used_at = excluded.used_at, expires_at = excluded.expires_at;
end $$;
