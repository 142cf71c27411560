-- Inputs by their number, and what went wrong with them, as other programs ask for them.

-- name: input_id
select id from ingestion where project_id = %(project_id)s and name = %(name)s

-- name: input_by_id
select id, name, origin, outcome, note, status, raw_key, url is not null as has_address, refused_step
from ingestion where project_id = %(project_id)s and id = %(id)s

-- name: list_dead_inputs
-- What was given up on its way to being searchable, the latest first.
select i.id as input_id, i.name, d.step, d.reason, d.created_at
from dead_letter d
join ingestion i on i.project_id = %(project_id)s
  and i.id = case d.item_table
    when 'ingestion' then d.item_id
    else (select max(x.id) from ingestion x where x.source_id = d.item_id) end
where d.revived_at is null and d.item_table in ('ingestion', 'source')
order by d.id desc limit %(top)s

-- name: list_quarantined_inputs
-- What could not be read and was set aside, the latest first.
select id, name, note as reason, updated_at as since_at
from ingestion
where project_id = %(project_id)s and outcome = 'quarantined'
order by updated_at desc, id desc limit %(top)s
