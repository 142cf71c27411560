-- name: opted_out_authors
-- Authors, in lower case, who asked not to be answered.
select lower(author) as author from opt_out where platform = %(platform)s and lower(author) = any (%(authors)s)

-- name: upsert_listening_rule
insert into listening_rule (channel_id, tag, query) values (%(channel_id)s, %(tag)s, %(query)s)
on conflict (channel_id, tag) do update
set query = excluded.query, is_active = true,
    updated_at = case when listening_rule.query = excluded.query then listening_rule.updated_at else now() end

-- name: retire_listening_rules
update listening_rule set is_active = false, updated_at = now()
where channel_id = %(channel_id)s and is_active and not tag = any (%(tags)s)

-- name: active_rules
select tag, query from listening_rule where channel_id = %(channel_id)s and is_active order by tag
