-- Answers to our replies: posts that name a part of a publication as what they answer.

-- name: own_accounts
-- The accounts of all channels of the project on the channel's platform, in lower case.
select account from own_accounts(%(channel_id)s) as account

-- name: own_post
-- A stored post that an account of ours wrote.
select o.id from post o
where (o.platform, o.platform_post_id) = (%(platform)s, %(platform_post_id)s)
  and lower(o.author) in (select own_accounts(o.channel_id))

-- name: replies_among
-- Which of these ids of a platform are ours: whole replies and parts of threads, with the publication they belong to and
-- the account that wrote them.
with ours as (
  select p.platform_id, p.id from publication p
  where p.platform = %(platform)s and p.platform_id = any (%(platform_ids)s)
  union
  select a.platform_id, a.publication_id from publication_part a
  join publication p on p.id = a.publication_id and p.platform = %(platform)s
  where a.platform_id = any (%(platform_ids)s)
)
select o.platform_id, o.id as publication_id, c.account
from ours o join publication p on p.id = o.id join channel c on c.id = p.channel_id

-- name: tie_follow_ups
-- Those that were heard before the reply's own id was known; one that somebody else holds is tied the next time. What
-- an account of ours wrote itself, as the next part of a thread out of its archive, answers nobody.
update post set answers_publication_id = %(publication_id)s
where id in (
  select o.id from post o
  join publication p on p.id = %(publication_id)s and p.platform = o.platform
  where o.parent_id = any (%(platform_ids)s) and o.answers_publication_id is null and o.purged_at is null
    and not exists (select from own_accounts(p.channel_id) as account where account = lower(o.author))
  for update of o skip locked
)

-- name: count_follow_ups
select count(*)::int as n from post where answers_publication_id = %(publication_id)s

-- name: follow_ups_of
-- The latest answers to each of these publications, oldest first; what its platform shows no more is not shown here.
select o.answers_publication_id as publication_id, o.id as post_id, o.platform, o.platform_post_id, o.author, o.text,
       o.url, o.created_at, o.stage, o.status, o.rejection_reason, d.verdict as kind, o.version
from unnest(%(publication_ids)s::bigint[]) as asked (id)
cross join lateral (
  select * from post where answers_publication_id = asked.id and gone_at is null and purged_at is null
  order by created_at desc, post.id desc limit %(most)s
) o
left join stage_decision d on d.post_id = o.id and d.step = 'follow_up'
order by o.answers_publication_id, o.created_at, o.id

-- name: list_follow_ups
-- The latest answers on all channels, or those of one kind.
select o.answers_publication_id as publication_id, o.id as post_id, o.platform, o.platform_post_id, o.author, o.text,
       o.url, o.created_at, o.stage, o.status, o.rejection_reason, d.verdict as kind, o.version
from post o
left join stage_decision d on d.post_id = o.id and d.step = 'follow_up'
where o.answers_publication_id is not null and o.gone_at is null and o.purged_at is null
  and (%(kind)s::text is null or d.verdict = %(kind)s)
order by o.created_at desc, o.id desc limit %(most)s

-- name: follow_up_counts
-- How many answers our replies had, by what they were and what became of them.
select coalesce(d.verdict, 'heard before') as kind, o.stage || '/' || o.status as place, count(*)::int as n
from post o left join stage_decision d on d.post_id = o.id and d.step = 'follow_up'
where o.answers_publication_id is not null group by 1, 2 order by 1, 2

-- name: note_follow_ups
insert into stage_decision (post_id, step, verdict, reason)
select o.id, 'follow_up', g.kind, g.reason
from json_to_recordset(%(judged)s::json) as g (platform_post_id text, kind text, reason text)
join post o on o.platform = %(platform)s and o.platform_post_id = g.platform_post_id
on conflict (post_id, step) do update set verdict = excluded.verdict, reason = excluded.reason, created_at = now()

-- name: account_answered
-- Of which account of ours an answer that rests was one; no row for anything else.
select c.account from post o
join publication p on p.id = o.answers_publication_id
join channel c on c.id = p.channel_id
where o.platform = %(platform)s and o.platform_post_id = %(platform_post_id)s
  and (o.stage, o.status) = ('triage', 'rejected')

-- name: take_up_follow_up
-- A remark that a person wants answered goes to triage as any post does.
update post
set stage = 'triage', step = 'embed', status = 'pending', rejection_reason = null, attempts = 0, crashes = 0,
    due_at = now(), version = version + 1
where id = %(id)s and answers_publication_id is not null and (stage, status) = ('triage', 'rejected')
  and gone_at is null and purged_at is null
  and not is_left_alone(post)
returning id
