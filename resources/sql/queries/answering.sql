-- Who may be answered: what was replied before, who asked to be left alone, and what follows for open work.

-- name: own_history
-- What was replied before, per post: to its author and in its conversation, from any account on its platform. A reply
-- that waits to be sent counts from when it may leave, if it is asked for; one in a person's hands from its approval, a
-- thread from its first part.
select o.id as post_id,
       is_left_alone(o) as is_opted_out,
       exists (
         select from publication p where p.post_id = o.id and p.state in ('sending', 'unknown', 'sent')
       ) as is_answered,
       coalesce(author.replied_at, '{}') as replied_at, talk.n as in_conversation
from post o
cross join lateral (
  select array_agg(latest.replied_at order by latest.replied_at desc) as replied_at
  from (
    select case when p.state = 'queued' and p.parts_sent = 0 then greatest(p.due_at, %(now)s)
                        else coalesce(p.sent_at, p.first_sending_at, p.created_at) end as replied_at
    from post q
    join publication p on p.post_id = q.id and (p.state not in ('cancelled', 'refused', 'abandoned') or p.parts_sent > 0)
    where q.platform = o.platform and lower(q.author) = lower(o.author) and q.id <> o.id
      and (%(with_waiting)s::boolean or p.state <> 'queued' or p.parts_sent > 0)
    order by 1 desc limit 100
  ) latest
) author
cross join lateral (
  select count(*)::int as n
  from post q
  join publication p on p.post_id = q.id and (p.state not in ('cancelled', 'refused', 'abandoned') or p.parts_sent > 0)
  where q.platform = o.platform and q.conversation_id = o.conversation_id and q.id <> o.id
    and (%(with_waiting)s::boolean or p.state <> 'queued' or p.parts_sent > 0)
) talk
where o.id = any (%(ids)s)

-- name: hold_author
-- Who is about to reply to an author waits for whoever else is.
select pg_advisory_xact_lock(21078, hashtext(%(platform)s::text || ':' || lower(%(author)s::text)))

-- name: wait_post
-- It may be answered later: its step is taken again then.
update post
set status = 'pending', due_at = %(until_at)s, attempts = 0, crashes = 0, last_error = null, lease_worker = null,
    lease_until = null, in_hand_at = null, version = version + 1
where id = %(id)s and lease_worker = %(worker)s
returning id

-- name: save_opt_out
-- What an author asked for stands above what a person wrote on the block list, and stays. Where the platform's id of the
-- author is not given it is that of the posts that were heard under the name: on sandbox channels for a rehearsal, else
-- on real ones, since the sandbox gives out ids of its own. Or that of who is on the list under the name.
insert into opt_out (platform, author, is_rehearsal, author_id, reason, is_asked, post_id, person_id)
values (%(platform)s, lower(%(author)s::text), %(is_rehearsal)s,
        coalesce(%(author_id)s::text,
          (select p.author_id from post p join channel c on c.id = p.channel_id
             where p.platform = %(platform)s and lower(p.author) = lower(%(author)s::text) and p.author_id is not null
               and c.is_sandbox = %(is_rehearsal)s
             order by p.created_at desc limit 1),
          (select o.author_id from opt_out o
             where o.platform = %(platform)s and o.author = lower(%(author)s::text) and o.is_rehearsal = %(is_rehearsal)s
               and o.author_id is not null
             order by o.created_at desc limit 1)),
        %(reason)s, %(is_asked)s, %(post_id)s, %(person_id)s)
on conflict (platform, author, is_rehearsal, author_id) do update
set is_asked = true, reason = excluded.reason, post_id = excluded.post_id
where excluded.is_asked and not opt_out.is_asked
returning author

-- name: learn_author_ids
-- Who is left alone under a name that is seen with its id now is known by that from now on; what the sandbox says of
-- ids is none of the platform's.
update opt_out o set author_id = g.author_id
from json_to_recordset(%(seen)s::json) as g (author text, author_id text)
where o.platform = %(platform)s and lower(o.author) = g.author and o.author_id is null
  and o.is_rehearsal = %(is_sandbox)s
  and not exists (
    select from opt_out x
    where (x.platform, x.author, x.is_rehearsal, x.author_id) = (o.platform, o.author, o.is_rehearsal, g.author_id))

-- name: withdraw_author
-- All that is still to be done about an author's posts, but for a reply that is being sent at this moment.
update post
set status = 'withdrawn', version = version + 1, lease_worker = null, lease_until = null, in_hand_at = null
where platform = %(platform)s
  and (lower(author) = lower(%(author)s::text)
    or author_id is not null and author_id = any (array(select o.author_id from opt_out o
      where o.platform = %(platform)s and o.author = lower(%(author)s::text) and o.is_rehearsal = %(is_rehearsal)s)))
  and stage <> 'done' and status <> 'withdrawn' and (stage, status) <> ('post_queue', 'processing')
  and is_left_alone(post)
returning id

-- name: list_opt_outs
select o.platform, o.author, o.reason, o.is_asked, o.post_id, p.name as person, o.created_at, o.is_rehearsal,
       o.author_id
from opt_out o left join person p on p.id = o.person_id
where (%(platform)s::text is null or o.platform = %(platform)s)
order by o.created_at desc, o.author
limit %(most)s

-- name: opt_out_standing
select bool_or(is_asked) as is_asked from opt_out
where platform = %(platform)s and lower(author) = lower(%(author)s::text) and is_rehearsal = %(is_rehearsal)s

-- name: remove_block
delete from opt_out
where platform = %(platform)s and lower(author) = lower(%(author)s::text) and is_rehearsal = %(is_rehearsal)s
  and not is_asked
returning author

-- name: post_numbers
select id, platform_post_id from post where platform = %(platform)s and platform_post_id = any (%(platform_post_ids)s)

-- name: channels_named
select id, project_id, name, platform, account, account_key, base_url, is_sandbox, policy, communities
from channel where %(name)s::text is null or name = %(name)s
order by id

-- name: lock_channel
select id from channel where name = %(name)s for update

-- name: set_channel_policy
update channel set policy = %(policy)s where id = %(id)s
