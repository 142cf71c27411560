-- What people may do: who they are, what they decide, what they read before deciding.

-- name: person_standing
-- Locked against a change of role until the command is through.
select role, is_active, is_simulated from person where id = %(id)s for share

-- name: lock_people
-- Two first admins at once, or the last two admins stepping down together, come one after the other.
select pg_advisory_xact_lock(21067)

-- name: count_real_people
select count(*)::int as n from person where not is_simulated

-- name: count_other_active_admins
select count(*)::int as n from person where role = 'admin' and is_active and not is_simulated and id <> %(id)s

-- name: insert_person
insert into person (name, display_name, role, password_hash, is_simulated)
values (%(name)s, %(display_name)s, %(role)s, %(password_hash)s, %(is_simulated)s)
on conflict (name) do nothing
returning id

-- name: find_person
select id, name, display_name, role, password_hash, is_simulated, is_active, locked_until, created_at
from person where name = %(name)s

-- name: list_people
select id, name, display_name, role, is_simulated, is_active, locked_until, created_at
from person order by id

-- name: begin_sign_in
-- A try is counted before the password is looked at, so parallel guesses cannot get past the limit.
update person
set failed_sign_ins = case when locked_until is null then failed_sign_ins + 1 else 1 end,
    locked_until = case
      when locked_until is null and failed_sign_ins + 1 >= %(max_tries)s
      then now() + make_interval(secs => %(lock_s)s)
    end
where name = %(name)s and is_active and password_hash is not null
  and (locked_until is null or locked_until <= now())
returning id, name, role, is_simulated, password_hash

-- name: end_sign_in
update person set failed_sign_ins = 0, locked_until = null where id = %(id)s

-- name: set_password
update person set password_hash = %(password_hash)s, failed_sign_ins = 0, locked_until = null where id = %(id)s

-- name: set_role
update person set role = %(role)s where id = %(id)s

-- name: deactivate_person
update person set is_active = false where id = %(id)s

-- name: insert_audit_event
insert into audit_event (person_id, actor, action, entity_type, entity_id, diff, ip_address)
values (%(person_id)s, %(actor)s, %(action)s, %(entity_type)s, %(entity_id)s, %(diff)s, %(ip_address)s)

-- name: audit_page
select a.id, a.actor, a.action, a.entity_type, a.entity_id, a.diff, host(a.ip_address) as ip_address, a.created_at,
       p.name as person
from audit_event a left join person p on p.id = a.person_id
where (%(entity_type)s::text is null or a.entity_type = %(entity_type)s)
  and (%(entity_id)s::bigint is null or a.entity_id = %(entity_id)s)
  and (%(person)s::text is null or p.name = %(person)s)
order by a.id desc
limit %(limit)s offset %(offset)s

-- name: count_audit_events
select count(*)::int as n
from audit_event a left join person p on p.id = a.person_id
where (%(entity_type)s::text is null or a.entity_type = %(entity_type)s)
  and (%(entity_id)s::bigint is null or a.entity_id = %(entity_id)s)
  and (%(person)s::text is null or p.name = %(person)s)

-- name: lock_post
select * from post where id = %(id)s for update

-- name: load_case_post
select * from post where id = %(id)s

-- name: latest_draft
-- A draft that answers an earlier wording of the post is not one to decide about.
select d.id, d.version, d.text, d.strategy, d.model, d.prompt_version, d.decision_id, d.author_id
from draft d join post p on p.id = d.post_id and p.round = d.round
where d.post_id = %(post_id)s order by d.version desc limit 1

-- name: copy_draft_evidence
insert into draft_evidence (draft_id, evidence_id, quote)
select %(to_draft)s, evidence_id, quote from draft_evidence where draft_id = %(from_draft)s

-- name: touch_post
-- What people see of the post has changed; its place has not.
update post set version = version + 1 where id = %(id)s

-- name: decide_post
update post
set stage = %(stage)s, step = %(step)s, status = %(status)s, rejection_reason = %(rejection_reason)s,
    version = version + 1, attempts = 0, crashes = 0, last_error = null, due_at = now()
where id = %(id)s

-- name: approve_post
-- The decision, the words, what is to be sent and the post's move, all or nothing.
with decided as (
  insert into review (post_id, draft_id, reviewer_id, decision, note, was_edited, is_simulated)
  values (%(post_id)s, %(draft_id)s, %(reviewer_id)s, 'approved', %(note)s, %(was_edited)s, %(is_simulated)s)
  returning id, post_id
), worded as (
  insert into review_part (review_id, position, text, sha256)
  select decided.id, words.position - 1, words.text, encode(sha256(convert_to(words.text, 'UTF8')), 'hex')
  from decided, unnest(%(texts)s::text[]) with ordinality as words(text, position)
  returning review_id, position, text, sha256
), answered as (
  insert into publication (post_id, review_id, channel_id, state, schedule, scheduled_for, schedule_zone, due_at)
  select post.id, said.review_id, post.channel_id, %(state)s::text, %(schedule)s::text,
         %(scheduled_for)s::timestamptz, %(schedule_zone)s::text, coalesce(%(scheduled_for)s::timestamptz, now())
  from (select distinct review_id from worded) said, post where post.id = %(post_id)s -- after all words are in
  returning id, review_id
), parts as (
  insert into publication_part (publication_id, position, text, sha256)
  select answered.id, worded.position, worded.text, worded.sha256
  from answered join worded on worded.review_id = answered.review_id
  returning publication_id
), moved as (
  update post
  set stage = 'post_queue', step = 'publish', status = 'pending', rejection_reason = null, version = version + 1,
      attempts = 0, crashes = 0, last_error = null, due_at = now()
  where id = %(post_id)s and version = %(version)s
  returning id
)
select answered.review_id, answered.id as publication_id
from answered cross join moved
where exists (select from parts where parts.publication_id = answered.id)

-- name: insert_review
insert into review (post_id, draft_id, reviewer_id, decision, reason, note, is_simulated)
values (%(post_id)s, %(draft_id)s, %(reviewer_id)s, %(decision)s, %(reason)s, %(note)s, %(is_simulated)s)
returning id

-- name: publication_post
-- Posts are locked before their publications, everywhere.
select post_id from publication where id = %(id)s

-- name: lock_publication
select id, post_id, channel_id, state from publication where id = %(id)s for update

-- name: decide_publication
update publication
set state = %(state)s, reason_code = %(reason_code)s, detail = %(detail)s, settled_by = %(settled_by)s,
    due_at = case when %(state)s = 'queued' then now() else due_at end,
    sent_at = case when %(state)s = 'sent' then now() end,
    platform_id = coalesce(platform_id, %(platform_id)s), platform_url = coalesce(platform_url, %(platform_url)s)
where id = %(id)s

-- name: decide_parts
-- What is known of where they stand begins with the first of them, the one in hand.
update publication_part
set state = %(state)s, sent_at = case when %(state)s = 'sent' then now() end,
    platform_id = coalesce(platform_id, (%(platform_ids)s::text[])[position - %(first)s + 1]),
    platform_url = coalesce(platform_url, (%(platform_urls)s::text[])[position - %(first)s + 1])
where publication_id = %(publication_id)s and position between %(first)s and %(last)s and state not in ('sent', %(state)s)

-- name: answer_with_platform_id
-- The same reply cannot be the answer to two posts, nor two parts of one.
select p.id from publication p join channel c on c.id = p.channel_id
where c.platform = %(platform)s and p.platform_id = %(platform_id)s and p.id <> %(publication_id)s
union
select a.publication_id
from publication_part a join publication p on p.id = a.publication_id join channel c on c.id = p.channel_id
where c.platform = %(platform)s and a.platform_id = %(platform_id)s
limit 1

-- name: mark_notification_read
update notification set read_at = now() where id = %(id)s and read_at is null
returning id

-- name: review_queue
select p.id, p.version, p.platform, p.author, p.community, p.text, p.url, p.created_at, p.heard_at, p.priority,
       p.relevance, p.stage, p.status, p.rejection_reason, p.is_summoned, c.name as channel, c.is_sandbox,
       d.id as draft_id, d.text as draft_text, d.strategy,
       (select count(*) from draft_check k where k.draft_id = d.id and not k.is_passed)::int as failed_checks
from post p
join channel c on c.id = p.channel_id
left join lateral (
  select id, text, strategy from draft where post_id = p.id and round = p.round order by version desc limit 1
) d on true
where (%(stage)s::text is null or p.stage = %(stage)s)
  and (%(status)s::text is null or p.status = %(status)s)
  and (%(platform)s::text is null or p.platform = %(platform)s)
  and (%(channel)s::text is null or c.name = %(channel)s)
  and (%(search)s::text is null or strpos(lower(p.text || ' ' || coalesce(p.author, '') || ' ' || coalesce(d.text, '')),
                                          lower(%(search)s)) > 0)
order by
  case when %(order)s = 'priority' then p.priority end desc,
  case when %(order)s = 'relevance' then p.relevance end desc nulls last,
  case when %(order)s = 'newest' then p.created_at end desc,
  case when %(order)s = 'oldest' then p.created_at end,
  p.id
limit %(limit)s offset %(offset)s

-- name: count_review_queue
select count(*)::int as n
from post p
join channel c on c.id = p.channel_id
left join lateral (
  select text from draft where post_id = p.id and round = p.round order by version desc limit 1
) d on true
where (%(stage)s::text is null or p.stage = %(stage)s)
  and (%(status)s::text is null or p.status = %(status)s)
  and (%(platform)s::text is null or p.platform = %(platform)s)
  and (%(channel)s::text is null or c.name = %(channel)s)
  and (%(search)s::text is null or strpos(lower(p.text || ' ' || coalesce(p.author, '') || ' ' || coalesce(d.text, '')),
                                          lower(%(search)s)) > 0)

-- name: channel_by_id
select id, project_id, name, platform, account, account_key, base_url, is_sandbox, policy, communities
from channel where id = %(id)s

-- name: case_stage_decisions
select step, verdict, reason, scores, created_at from stage_decision where post_id = %(post_id)s order by created_at, id

-- name: case_drafts
select d.id, d.version, d.text, d.strategy, d.model, d.prompt_version, d.created_at, p.display_name as author
from draft d left join person p on p.id = d.author_id
where d.post_id = %(post_id)s order by d.version

-- name: case_draft_checks
select k.draft_id, k.name, k.is_passed, k.detail
from draft_check k join draft d on d.id = k.draft_id
where d.post_id = %(post_id)s order by k.draft_id, k.name

-- name: case_reviews
select r.id, r.decision, r.reason, r.note, r.was_edited, r.is_simulated, r.created_at, r.draft_id,
       p.display_name as reviewer
from review r join person p on p.id = r.reviewer_id
where r.post_id = %(post_id)s order by r.id

-- name: case_publications
select id, review_id, state, due_at, attempts, sent_at, platform_id, platform_url, reason_code, detail, created_at
from publication where post_id = %(post_id)s order by id

-- name: case_publication_parts
select a.publication_id, a.position, a.text, a.state, a.platform_id, a.platform_url, a.detail
from publication_part a join publication p on p.id = a.publication_id
where p.post_id = %(post_id)s order by a.publication_id, a.position

-- name: case_publication_events
select e.publication_id, e.from_state, e.to_state, e.reason_code, e.detail, e.created_at
from publication_event e join publication p on p.id = e.publication_id
where p.post_id = %(post_id)s order by e.id

-- name: case_claims
-- Those of the post as it stands, then older ones that a draft still rests on.
select c.id, c.position, c.kind, c.text, c.check_worthiness
from claim c join post p on p.id = c.post_id
where c.post_id = %(post_id)s and (c.round = p.round or exists (
  select from evidence v join draft_evidence q on q.evidence_id = v.id where v.claim_id = c.id))
order by c.round desc, c.position

-- name: case_evidence
select v.id, v.claim_id, v.chunk_id, v.quote, v.start_s, v.speaker, v.score, v.verdict,
       s.title as source_title, s.url as source_url
from evidence v
join claim m on m.id = v.claim_id
join post p on p.id = v.post_id
join chunk c on c.id = v.chunk_id
join source s on s.id = c.source_id
where v.post_id = %(post_id)s
  and (m.round = p.round or exists (select from draft_evidence q where q.evidence_id = v.id))
order by m.round desc, v.score desc, v.position

-- name: case_quotes
select q.draft_id, q.evidence_id, q.quote, v.start_s, v.speaker, v.score, v.verdict,
       s.title as source_title, s.url as source_url
from draft_evidence q
join draft d on d.id = q.draft_id
join evidence v on v.id = q.evidence_id
join chunk c on c.id = v.chunk_id
join source s on s.id = c.source_id
where d.post_id = %(post_id)s order by q.draft_id, v.position
