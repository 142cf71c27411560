-- Where the posts of each day stand now; every post is counted once. stage_order runs from triage (0) to done (6).
select day, channel, is_sandbox, platform, stage, status,
       cast(list_position(
         ['triage', 'research', 'response', 'editorial', 'review', 'post_queue', 'done'], stage) - 1 as integer) as stage_order,
       count(*) as posts
from posts
group by all
order by day, channel, is_sandbox, stage_order, status
