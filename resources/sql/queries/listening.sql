-- name: opted_out_authors
-- Authors, in lower case, who are left alone on a channel, by their names or by the platform's ids of them.
select lower(author) as author, author_id from opt_out
where platform = %(platform)s and (not is_rehearsal or %(is_sandbox)s)
  and (lower(author) = any (%(authors)s) or author_id = any (%(author_ids)s))

-- name: upsert_listening_rule
insert into listening_rule (channel_id, tag, query) values (%(channel_id)s, %(tag)s, %(query)s)
on conflict (channel_id, tag) do update
set query = excluded.query, is_active = true,
    refused_at = case when listening_rule.query = excluded.query then listening_rule.refused_at end,
    refusal = case when listening_rule.query = excluded.query then listening_rule.refusal end,
    updated_at = case when listening_rule.query = excluded.query then listening_rule.updated_at else now() end

-- name: retire_listening_rules
update listening_rule set is_active = false, updated_at = now()
where channel_id = %(channel_id)s and is_active and not tag = any (%(tags)s)

-- name: active_rules
-- Those that the platform takes, as far as it is known.
select tag, query from listening_rule
where channel_id = %(channel_id)s and is_active and refused_at is null order by tag

-- name: refused_rules
-- Rules that were put aside, of one channel or of all enabled ones.
select r.channel_id, c.name as channel, r.tag, r.query, r.refusal, r.refused_at
from listening_rule r join channel c on c.id = r.channel_id
where c.is_enabled and r.is_active and r.refused_at is not null
  and (%(channel_id)s::bigint is null or r.channel_id = %(channel_id)s)
order by c.id, r.tag

-- name: put_rule_aside
-- Only the text that was refused; whether it stood until now.
update listening_rule set refused_at = now(), refusal = %(reason)s
where channel_id = %(channel_id)s and query = %(query)s and refused_at is null
returning id, refused_at

-- name: take_rules_back
-- The platform took them after all.
update listening_rule set refused_at = null, refusal = null
where channel_id = %(channel_id)s and query = any (%(queries)s) and refused_at is not null
