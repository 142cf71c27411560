-- round counts the wordings of a post: each edit begins another, with claims, evidence and drafts of its own.
-- Those of earlier rounds are kept, because drafts and decisions about them are.
create table post (
  id bigint generated always as identity primary key,
  channel_id bigint not null references channel,
  platform text not null,
  platform_post_id text not null,
  author text,
  author_followers integer,
  community text,
  text text not null,
  url text,
  conversation_id text,
  mentions text[] not null default '{}',
  quoted_author text,
  lang text,
  metrics jsonb not null default '{}',
  created_at timestamptz not null,
  heard_at timestamptz not null default now(),
  is_summoned boolean not null default false,
  relevance real,
  rejection_reason text,
  version integer not null default 0,
  round integer not null default 0,
  stage text not null default 'triage'
    check (stage in ('triage', 'research', 'response', 'editorial', 'review', 'post_queue', 'done')),
  step text not null default 'embed'
    check (step in ('embed', 'relevance', 'claims', 'evidence', 'decide', 'draft', 'check', 'review', 'publish', 'done')),
  status text not null default 'pending'
    check (status in ('pending', 'processing', 'completed', 'rejected', 'failed', 'dead', 'rate_limited', 'withdrawn')),
  priority integer not null default 0,
  due_at timestamptz not null default now(),
  attempts integer not null default 0,
  crashes integer not null default 0,
  lease_worker integer,
  lease_until timestamptz,
  in_hand_at timestamptz,
  last_error text,
  updated_at timestamptz not null default now(),
  unique (platform, platform_post_id),
  check ((status = 'processing' and stage <> 'post_queue') = (lease_worker is not null)),
  check ((lease_worker is null) = (lease_until is null)),
  check ((stage = 'done') = (status = 'completed')),
  check (status <> 'rate_limited' or stage = 'post_queue'),
  check ((stage = 'triage') = (step in ('embed', 'relevance', 'claims'))),
  check ((stage = 'research') = (step = 'evidence')),
  check ((stage = 'response') = (step in ('decide', 'draft'))),
  check ((stage = 'editorial') = (step = 'check')),
  check ((stage = 'review') = (step = 'review')),
  check ((stage = 'post_queue') = (step = 'publish')),
  check ((stage = 'done') = (step = 'done'))
);
create index post_due on post (step, crashes, priority desc, id) where status in ('pending', 'failed', 'processing');
create index post_place on post (stage, status);

create function guard_post_move() returns trigger language plpgsql as $$
begin
  if (old.stage, old.status) is distinct from (new.stage, new.status) and not exists (
    select from post_move m
    where (m.from_stage, m.from_status, m.to_stage, m.to_status) = (old.stage, old.status, new.stage, new.status)
  ) then
    raise exception 'post %: no move from %/% to %/%', old.id, old.stage, old.status, new.stage, new.status
      using errcode = 'check_violation';
  end if;
  new.updated_at := now();
  return new;
end $$;
create trigger post_move_guard before update on post for each row execute function guard_post_move();

-- A reply answers the post it was approved for: which post a row stands for never changes.
create function keep_post_identity() returns trigger language plpgsql as $$
begin
  if (new.channel_id, new.platform, new.platform_post_id)
      is distinct from (old.channel_id, old.platform, old.platform_post_id) then
    raise exception 'which post % is cannot be changed', old.id using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger post_identity before update of channel_id, platform, platform_post_id on post
  for each row execute function keep_post_identity();

create table post_embedding (
  post_id bigint not null references post on delete cascade,
  embedding_index_id bigint not null references embedding_index,
  embedding halfvec(384) not null,
  primary key (post_id, embedding_index_id)
);

create table stage_result (
  post_id bigint not null references post on delete cascade,
  stage text not null,
  result jsonb not null,
  created_at timestamptz not null default now(),
  primary key (post_id, stage)
);

create table stage_decision (
  id bigint generated always as identity primary key,
  post_id bigint not null references post on delete cascade,
  step text not null,
  verdict text not null,
  reason text not null,
  scores jsonb not null default '{}',
  model_version_id bigint references model_version,
  created_at timestamptz not null default now(),
  unique (post_id, step)
);

create table claim (
  id bigint generated always as identity primary key,
  post_id bigint not null references post on delete cascade,
  round integer not null default 0,
  position integer not null,
  kind text not null,
  text text not null,
  check_worthiness real not null check (check_worthiness between 0 and 1),
  unique (post_id, round, position)
);

create table evidence (
  id bigint generated always as identity primary key,
  post_id bigint not null references post on delete cascade,
  position integer not null,
  claim_id bigint not null references claim on delete cascade,
  chunk_id bigint not null references chunk,
  quote text not null,
  start_s double precision,
  speaker text,
  score real not null,
  verdict text not null check (verdict in ('supports', 'disputes', 'related')),
  unique (post_id, position)
);

create table decision (
  id bigint generated always as identity primary key,
  post_id bigint not null references post on delete cascade,
  round integer not null default 0,
  context_version text not null,
  policy_version text not null,
  prompt_version text references prompt_version,
  candidates text[] not null,
  action text not null,
  propensity double precision not null check (propensity > 0 and propensity <= 1),
  created_at timestamptz not null default now(),
  unique (post_id, round),
  check (action = any (candidates))
);

create table draft (
  id bigint generated always as identity primary key,
  post_id bigint not null references post on delete cascade,
  decision_id bigint references decision,
  round integer not null default 0,
  version integer not null,
  text text not null,
  strategy text not null,
  model text not null,
  prompt_version text not null references prompt_version,
  author_id bigint references person,
  superseded_by bigint references draft,
  created_at timestamptz not null default now(),
  unique (post_id, version)
);

create table draft_evidence (
  draft_id bigint not null references draft on delete cascade,
  evidence_id bigint not null references evidence,
  quote text not null,
  primary key (draft_id, evidence_id)
);

create table draft_check (
  draft_id bigint not null references draft on delete cascade,
  name text not null,
  is_passed boolean not null,
  detail text not null,
  primary key (draft_id, name)
);

grant select, insert, update on
  post, post_embedding, stage_result, stage_decision, claim, evidence, decision, draft, draft_evidence, draft_check
  to rejoinder_may_run;
grant delete on draft_check, draft_evidence to rejoinder_may_run;
grant select, update on post to rejoinder_may_publish;
grant select on draft to rejoinder_may_publish;
