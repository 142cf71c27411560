-- The model gateway: endpoints with their health, leases on their places, money spent, answers kept, attempts of calls.

create table model_endpoint (
  name text primary key,
  uri text not null,
  base_url text,
  capabilities text[] not null,
  max_concurrent integer not null check (max_concurrent >= 1),
  timeout_s real not null check (timeout_s > 0),
  -- null: not known, so nothing that counts money may call it
  price_in_usd_per_mtok numeric(12, 6) check (price_in_usd_per_mtok >= 0),
  price_out_usd_per_mtok numeric(12, 6) check (price_out_usd_per_mtok >= 0),
  price_as_of date,
  weight real not null default 1,
  is_enabled boolean not null default true,
  -- false: rejoinder.toml names it no more; the row stays for the runs that it answered
  is_configured boolean not null default true,
  -- circuit breaker: closed = called, open = left alone until opened_until, half_open = one probe is under way
  breaker text not null default 'closed' check (breaker in ('closed', 'open', 'half_open')),
  failures integer not null default 0,
  opened_until timestamptz,
  last_ok_at timestamptz,
  last_failed_at timestamptz,
  last_error text,
  check ((price_in_usd_per_mtok is null) = (price_out_usd_per_mtok is null)),
  check ((breaker = 'closed') = (opened_until is null))
);

-- The places of endpoints, made as they are first needed: taken for one attempt by a worker, which names its leases by
-- numbers of its own, or free (worker null; the rest is of the last one who had it). A lease is stale when its holder's
-- advisory lock is free or its time has run out. Rows are never deleted and no index knows who holds them, so PostgreSQL
-- writes a new version beside the old one and clears that away by itself: thousands of calls leave nothing behind.
-- Unlogged: a crash of the server ends every holder, so every lease with it.
create unlogged table endpoint_lease (
  endpoint text not null,
  place integer not null,
  worker integer,
  number bigint,
  task text not null,
  creator_id bigint,
  -- the UTC day on which the money was reserved
  day date not null,
  reserved_usd numeric(14, 8) not null default 0,
  is_probe boolean not null default false,
  taken_at timestamptz not null,
  expires_at timestamptz,
  primary key (endpoint, place),
  check ((worker is null) = (expires_at is null))
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Processes that wait for a place, one row each while they ask again and again: who came first gets the next place, also
-- where another process has dozens of threads at the door. Not seen for two seconds, it waits no more.
create unlogged table endpoint_waiter (
  endpoint text not null,
  worker integer not null,
  since timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  primary key (endpoint, worker)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What was spent on models on a UTC day: in all, per task, per creator and per endpoint. A call's reservation counts from the moment
-- at which it may be sent, and what the call really cost takes its place. So what a killed call reserved stays counted,
-- though nobody knows what it cost, and no crash gives money back.
create table model_spend (
  day date not null,
  scope text not null check (scope in ('total', 'task', 'creator', 'endpoint')),
  key text not null default '',
  spent_usd numeric(14, 8) not null default 0,
  primary key (day, scope, key)
) with (fillfactor = 50);

-- Counts money of a call in all, for its task, its creator and its endpoint; less than 0 takes money back that was reserved.
-- One lock for all money: who adds to several rows never meets another who does so in another order.
create function count_money(on_day date, of_task text, of_creator bigint, of_endpoint text, usd numeric) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(21075, 0);
  insert into model_spend as s (day, scope, key, spent_usd)
  select on_day, scope, key, usd
  from (values ('total', ''), ('task', of_task), ('creator', of_creator::text), ('endpoint', of_endpoint)) c (scope, key)
  where key is not null
  on conflict (day, scope, key) do update set spent_usd = s.spent_usd + excluded.spent_usd;
end $$;

-- Takes a place and reserves the price, or says why not: 'unknown' (no such endpoint), 'disabled', 'open' (the circuit
-- breaker leaves it alone until `until`), 'full', 'budget' (which one, what of it is gone). Asked twice for the same
-- lease, because the answer got lost, it says 'admitted' twice and takes one place. Who will_wait stands in the queue of
-- processes until it asks again. A check by a person (is_check) goes past breaker and switch, and counts as the
-- breaker's probe.
-- Locks are taken in one order everywhere: endpoint, money, the endpoint's row.
create function admit_call(
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
  if taken + n_ahead(of_endpoint, of_worker, mine.since) >= e.max_concurrent then
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
    perform count_money(today, of_task, of_creator, of_endpoint, price);
  end if;
  if e.breaker <> 'closed' then
    update model_endpoint set breaker = 'half_open' where name = of_endpoint and breaker <> 'closed';
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

-- Whether an endpoint that is left alone may be tried: its time is over and nobody living tries it yet.
create function may_probe(e model_endpoint, moment timestamptz) returns boolean language sql as $$
  select (e.breaker = 'open' and e.opened_until <= moment) or (e.breaker = 'half_open' and not exists (
    select from endpoint_lease l
    where l.endpoint = e.name and l.is_probe and l.expires_at > moment and l.worker in (select worker from living_worker)))
$$;

-- How many other processes wait at an endpoint and came before the moment since which this one waits, or before now.
create function n_ahead(of_endpoint text, of_worker integer, waits_since timestamptz) returns bigint
language sql as $$
  select count(*) from endpoint_waiter w
  where w.endpoint = of_endpoint and w.worker <> of_worker and w.seen_at > clock_timestamp() - interval '2 s'
    and (waits_since is null or (w.since, w.worker) < (waits_since, of_worker))
$$;

-- Notes that a process waits at an endpoint and was seen now, or that it waits no more.
create function wait_at(of_endpoint text, of_worker integer, waits boolean) returns void language plpgsql as $$
begin
  if waits then
    insert into endpoint_waiter (endpoint, worker) values (of_endpoint, of_worker)
    on conflict (endpoint, worker) do update set seen_at = excluded.seen_at,
      since = case when endpoint_waiter.seen_at > excluded.seen_at - interval '2 s' then endpoint_waiter.since
        else excluded.since end;
  else
    delete from endpoint_waiter w where w.endpoint = of_endpoint
      and (w.worker = of_worker or w.seen_at < clock_timestamp() - interval '1 min');
  end if;
end $$;

-- Frees the places that stale leases hold at an endpoint; which. What they reserved stays counted as spent.
create function reap_leases(of_endpoint text, moment timestamptz) returns setof integer language sql as $$
  update endpoint_lease set worker = null, expires_at = null
  where endpoint = of_endpoint and worker is not null
    and (expires_at <= moment or worker not in (select worker from living_worker))
  returning place
$$;

-- Frees a place, puts what the call cost in the place of what it reserved, and moves the breaker. The health of the
-- endpoint as the call showed it is 'good', 'bad', 'refused' (kept for people to see) or 'unclear'
-- (rejoinder/llm/breaker.py has the moves).
-- False where the lease is gone: then what it reserved stays counted.
create function settle_call(
  of_endpoint text, of_place integer, of_worker integer, of_number bigint, health text, cost_usd double precision, error text, moment timestamptz,
  open_after integer, open_s double precision
) returns boolean language plpgsql as $$
declare
  l endpoint_lease%rowtype;
  e model_endpoint%rowtype;
  cost numeric(14, 8) := cost_usd;
  counts boolean;
  opens boolean;
begin
  update endpoint_lease set worker = null, expires_at = null
  where endpoint = of_endpoint and place = of_place and worker = of_worker and number = of_number
  returning * into l;
  if not found then
    return false;
  end if;
  if cost <> l.reserved_usd then
    perform count_money(l.day, l.task, l.creator_id, l.endpoint, cost - l.reserved_usd);
  end if;
  if health = 'good' then
    -- A row that says so already is written once in ten seconds, not by every call.
    update model_endpoint set last_ok_at = moment, breaker = 'closed', failures = 0, opened_until = null
    where name = l.endpoint and ((breaker = 'half_open' and l.is_probe)
      or (breaker = 'closed' and (failures > 0 or last_ok_at is null or last_ok_at < moment - interval '10 s')));
  elsif health = 'bad' then
    select * into e from model_endpoint where name = l.endpoint for update;
    counts := e.breaker = 'closed' or (e.breaker = 'half_open' and l.is_probe);
    opens := counts and (e.breaker = 'half_open' or e.failures + 1 >= open_after);
    update model_endpoint
    set last_failed_at = moment, last_error = error, failures = e.failures + counts::integer,
        breaker = case when opens then 'open' else e.breaker end,
        opened_until = case when opens then moment + make_interval(secs => least(greatest(open_s, 3600),
          open_s * power(2, least(greatest(e.failures + 1 - open_after, 0), 30)))) else e.opened_until end
    where name = l.endpoint;
  elsif health = 'refused' then
    update model_endpoint set last_failed_at = moment, last_error = error where name = l.endpoint;
  end if;
  return true;
end $$;

-- Answers by the SHA-256 of everything that they depend on. checksum guards against damage: an answer that does not fit
-- it counts as none.
create table llm_cache (
  key bytea primary key check (length(key) = 32),
  reply text not null,
  checksum bytea not null check (length(checksum) = 32),
  size_bytes integer not null,
  created_at timestamptz not null default now(),
  used_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index llm_cache_used on llm_cache (used_at);
create index llm_cache_expires on llm_cache (expires_at);

-- Cheap calls cost less than a millionth of a dollar.
alter table model_run
  alter column cost_usd type numeric(14, 8),
  add column endpoint text,
  add column task text,
  add column creator_id bigint references creator (id) on delete set null,
  add column arm text not null default 'champion' check (arm in ('champion', 'challenger')),
  add column is_cached boolean not null default false;

-- The fallback chain of a call: every attempt in order.
create table model_attempt (
  model_run_id bigint not null references model_run (id) on delete cascade,
  n smallint not null,
  endpoint text not null,
  model text not null,
  outcome text not null,
  latency_ms real not null,
  tokens_in integer not null,
  tokens_out integer not null,
  is_estimated boolean not null,
  cost_usd numeric(14, 8) not null,
  error text,
  primary key (model_run_id, n)
);

grant select, insert, update on model_endpoint, model_spend, endpoint_lease to rejoinder_may_run;
grant select, insert, update, delete on endpoint_waiter, llm_cache to rejoinder_may_run;
grant select, insert on model_attempt to rejoinder_may_run;
