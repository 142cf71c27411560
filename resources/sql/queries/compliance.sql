-- Deletions and edits on the platforms: which posts to look up, what is withdrawn, what is purged.

-- name: claim_posts_to_check
-- Those that somebody may be about to answer first, then those that were looked at longest ago. Who takes some has ten
-- minutes to say what became of them; after that, whoever comes next looks them up.
with due as (
  (select id from post where channel_id = %(channel_id)s and gone_at is null and purged_at is null
     and checked_at <= %(checked_before)s and (asked_at is null or asked_at <= %(asked_before)s)
     and stage in ('review', 'post_queue') and status <> 'withdrawn'
   order by checked_at, id limit %(most)s)
  union
  (select id from post where channel_id = %(channel_id)s and gone_at is not null and purged_at is null
     and checked_at <= %(gone_before)s and (asked_at is null or asked_at <= %(asked_before)s)
   order by checked_at, id limit %(most)s)
  union
  (select id from post where channel_id = %(channel_id)s and gone_at is null and purged_at is null
     and checked_at <= %(checked_before)s and (asked_at is null or asked_at <= %(asked_before)s)
   order by checked_at, id limit %(most)s)
), taken as (
  select p.id from post p join due using (id)
  order by p.stage in ('review', 'post_queue') desc, p.gone_at is null, p.checked_at, p.id
  limit %(most)s
  for update of p skip locked
)
update post p set asked_at = %(now)s from taken where p.id = taken.id
returning p.id, p.platform_post_id, p.text, p.gone_at

-- name: count_posts_to_check
select
  (select count(*) from post where channel_id = %(channel_id)s and gone_at is null and purged_at is null
    and checked_at <= %(checked_before)s and (asked_at is null or asked_at <= %(asked_before)s))::int
  + (select count(*) from post where channel_id = %(channel_id)s and gone_at is not null and purged_at is null
    and checked_at <= %(gone_before)s and (asked_at is null or asked_at <= %(asked_before)s))::int as due

-- name: posts_never_seen
-- Of which the platform said nothing for so long that they may not be kept.
select id from post
where channel_id = %(channel_id)s and purged_at is null and checked_at <= %(seen_before)s
  and not exists (select from publication p where p.post_id = post.id and p.state = 'sending')
order by checked_at, id limit %(most)s

-- name: count_posts_never_seen
select count(*)::int from post
where channel_id = %(channel_id)s and purged_at is null and checked_at <= %(seen_before)s

-- name: resting_channels
-- Disabled channels of real platforms, of which posts are kept, and whether a credential is there to look them up with.
select c.id, c.project_id, c.name, c.platform, c.account, c.account_key, c.base_url, c.is_sandbox, c.policy,
       c.communities, exists (select from channel_read_credential r where r.channel_id = c.id) as has_credential
from channel c
where not c.is_enabled and not c.is_sandbox
  and exists (select from post p where p.channel_id = c.id and p.purged_at is null)
order by c.id

-- name: posts_past_term
-- Gone for so long that their content may not wait for another look.
select id from post
where channel_id = %(channel_id)s and gone_at <= %(gone_before)s and purged_at is null
  and not exists (select from publication p where p.post_id = post.id and p.state = 'sending')
order by id limit %(most)s

-- name: posts_at_rest
-- Nobody works on them any more and none of them was answered: kept only for as long as the tuning says.
select id from post
where channel_id = %(channel_id)s and purged_at is null and heard_at <= %(heard_before)s
  and status in ('rejected', 'dead', 'withdrawn')
order by id limit %(most)s

-- name: forget_threads
-- What stands above a post is never looked up by itself, so it is kept no longer than a deletion may wait.
delete from post_context x using post p, stage_decision d
where p.id = x.post_id and p.channel_id = %(channel_id)s and d.post_id = p.id and d.step = 'thread'
  and d.created_at <= %(kept_since)s

-- name: forget_unreadable
-- Nor can be looked up what could not be read: what it was and why stays, its words go.
update quarantine set excerpt = ''
where kind = 'post' and excerpt <> '' and created_at <= %(kept_since)s and starts_with(name, %(platform)s::text || ':')

-- name: note_standing
update post set checked_at = %(now)s where id = any (%(ids)s)

-- name: note_gone
-- Not while its reply is being sent: what becomes of that has to be written down first.
update post
set gone_at = coalesce(gone_at, %(now)s), checked_at = %(now)s,
    status = case when stage = 'done' or (stage, status) = ('post_queue', 'processing') then status else 'withdrawn' end,
    version = version + 1, lease_worker = null, lease_until = null, in_hand_at = null
where id = any (%(ids)s)

-- name: earlier_versions
-- Posts that are kept and of which a newer version was heard.
select id from post where platform = %(platform)s and platform_post_id = any (%(earlier)s) and gone_at is null
order by id for update

-- name: cancel_for_withdrawn_posts
update publication p
set state = case p.state when 'queued' then 'cancelled' else 'abandoned' end, reason_code = %(reason_code)s,
    detail = %(detail)s
from post o
where o.id = p.post_id and p.state in ('queued', 'handoff') and o.status = 'withdrawn' and o.id = any (%(ids)s)
returning p.id

-- name: note_edit_of_answered
-- A reply stands, or it is history: the new wording is kept, nothing starts over. While one is being sent nothing is
-- noted: the next look finds the edit again, and voids the approval if the reply was not taken.
update post set text = %(text)s, edited_at = %(now)s, checked_at = %(now)s, gone_at = null
where id = %(id)s and purged_at is null and (stage, status) <> ('post_queue', 'processing')

-- name: purge_vectors
delete from post_embedding where post_id = any (%(ids)s)

-- name: purge_context
delete from post_context where post_id = any (%(ids)s)

-- name: purge_results
delete from stage_result where post_id = any (%(ids)s)

-- name: purge_draft_checks
delete from draft_check where draft_id in (select id from draft where post_id = any (%(ids)s))

-- name: purge_draft_evidence
delete from draft_evidence where draft_id in (select id from draft where post_id = any (%(ids)s))

-- name: purge_evidence
delete from evidence where post_id = any (%(ids)s)

-- name: purge_claims
delete from claim where post_id = any (%(ids)s)

-- name: purge_reasons
update stage_decision set reason = 'purged', scores = '{}' where post_id = any (%(ids)s)

-- name: purge_drafts
-- What a person approved stays as the record of that decision, in review_part: our own words.
update draft set text = '' where post_id = any (%(ids)s)

-- name: purge_quarantined
delete from quarantine q using post p
where p.id = any (%(ids)s) and q.kind = 'post' and q.name = p.platform || ':' || p.platform_post_id

-- name: purge_posts
-- Which post it was stays, so that it is not heard again and a reply that stands keeps its parent.
update post
set text = '', author = null, author_id = null, author_followers = null, url = null, conversation_id = null, parent_id = null,
    mentions = '{}', quoted_author = null, lang = null, metrics = '{}', last_error = null, purged_at = %(now)s,
    rejection_reason = case when rejection_reason is not null then 'purged' end,
    status = case when status in ('completed', 'rejected') or (stage, status) = ('post_queue', 'processing') then status
      else 'withdrawn' end,
    version = version + 1, lease_worker = null, lease_until = null, in_hand_at = null
where id = any (%(ids)s) and purged_at is null
  and not exists (select from publication p where p.post_id = post.id and p.state = 'sending')
returning id

-- name: purge_late_answers
-- Answers that came while their post was being purged.
delete from llm_cache c using post p
where p.channel_id = %(channel_id)s and p.purged_at > %(purged_since)s and c.input_ref = 'post:' || p.id

-- name: purge_answers
-- Answers of models that were kept and that belong to these posts.
delete from llm_cache where input_ref = any (select 'post:' || id from unnest(%(ids)s::bigint[]) id)

-- name: purge_dead_letters
-- Nothing can be tried again with them, and a reason may quote what a model said about the post.
update dead_letter set reason = 'purged', revived_at = coalesce(revived_at, now())
where item_table = 'post' and item_id = any (%(ids)s)

-- name: purge_run_errors
-- An error may quote what a model said about the post.
update model_run set error = null
where error is not null and input_ref = any (select 'post:' || id from unnest(%(ids)s::bigint[]) id)
