-- name: list_channels
select id, name, platform, account, is_sandbox, is_enabled, policy ->> 'name' as policy, communities
from channel order by id

-- name: disable_channel
update channel set is_enabled = false where name = %(name)s and is_enabled returning id
