-- name: take_stream_slot
-- Whether the stream of a token is now this connection's, until it is closed.
select pg_try_advisory_lock(21080, hashtext(%(stream_key)s))

-- name: posts_without_thread
-- Posts that triage accepted and that answer another, whose thread was not asked for, best first.
select p.* from post p
where p.channel_id = %(channel_id)s and p.parent_id is not null and p.gone_at is null
  and p.status in ('pending', 'failed')
  and (p.stage in ('research', 'response') or (p.stage = 'triage' and p.step = 'claims'))
  and not exists (select from stage_decision d where d.post_id = p.id and d.step = 'thread')
order by p.priority desc, p.id
limit %(top)s

-- name: insert_post_context
insert into post_context (post_id, position, platform_post_id, author, text, created_at)
values (%(post_id)s, %(position)s, %(platform_post_id)s, %(author)s, %(text)s, %(created_at)s)
on conflict (post_id, position) do nothing

-- name: case_thread
-- What stands above a post, oldest first.
select platform_post_id, author, text, created_at from post_context where post_id = %(post_id)s order by position

-- name: posts_stored_after
-- Posts as they become visible, for who watches a listener.
select id, platform_post_id, created_at from post where id > %(after_id)s order by id limit 10000
