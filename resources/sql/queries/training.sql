-- Training of the relevance classifier, and what is champion.

-- name: training_posts
-- trainable_post leaves out what a channel's policy keeps from training, what is gone, and who opted out. The
-- similarities are those that triage looks at (nearest_chunks), so a model is used on what it was trained on.
select p.id, p.platform, p.platform_post_id, p.text, e.embedding, near.similarities
from trainable_post
join post p using (id)
join channel c on c.id = p.channel_id
join post_embedding e on e.post_id = p.id and e.embedding_index_id = %(index_id)s
cross join lateral (
  select coalesce(array_agg(n.similarity order by n.similarity desc), array[]::float8[]) as similarities
  from (
    select (1 - (ce.embedding <=> e.embedding))::float8 as similarity
    from {vectors} ce
    where ce.project_id = c.project_id
    order by ce.embedding <=> e.embedding
    limit %(top)s
  ) n
) near
order by p.id desc
limit %(most)s

-- name: training_reviews
-- What people decided, oldest first; a simulated reviewer teaches nothing.
select r.post_id, r.decision, r.reason
from review r
join trainable_post t on t.id = r.post_id
join person d on d.id = r.reviewer_id
where r.post_id = any (%(post_ids)s) and not r.is_simulated and not d.is_simulated
  and r.decision in ('approved', 'rejected')
order by r.id

-- name: find_training
select id, is_champion, mlflow_run_id, metrics from model_version
where name = %(name)s and data_hash = %(data_hash)s

-- name: hold_training_lock
select pg_advisory_xact_lock(21067, hashtext(%(name)s))

-- name: uncrown_models
update model_version set is_champion = false where name = %(name)s and is_champion

-- name: insert_model_version
insert into model_version (name, data_hash, parameters, metrics, mlflow_run_id, is_champion)
values (%(name)s, %(data_hash)s, %(parameters)s, %(metrics)s, %(mlflow_run_id)s, %(is_champion)s)
on conflict (name, data_hash) do nothing
returning id

-- name: uncrown_other_models
update model_version
set is_champion = false
where name = %(name)s and is_champion and mlflow_run_id is distinct from %(run_id)s
  and exists (select from model_version m where m.name = %(name)s and m.mlflow_run_id = %(run_id)s)

-- name: crown_model
update model_version set is_champion = true
where name = %(name)s and mlflow_run_id = %(run_id)s and not is_champion
