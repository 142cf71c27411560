-- name: drafts_before_review
select p.id, p.platform_post_id, p.version, d.text
from post p join draft d on d.post_id = p.id and d.superseded_by is null
where p.stage = 'review' and p.status = 'pending'
order by p.priority desc, p.id

-- name: approved_texts
-- What may be on a platform: every text a person approved, by the post it answers.
select p.platform, p.platform_post_id, a.sha256
from review r join review_part a on a.review_id = r.id join post p on p.id = r.post_id
where r.decision = 'approved'

-- name: born_handed_off
select count(*)::int as n from publication_event where from_state is null and to_state = 'handoff'

-- name: move_sandbox_channels
update channel set base_url = %(base_url)s where is_sandbox
