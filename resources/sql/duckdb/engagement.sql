-- What replies were worth, by strategy, channel and age. Snapshots taken too late to speak for their window and
-- replies that were deleted are counted, but enter no mean.
select strategy, channel, window_s,
       count(*) as snapshots,
       count(*) filter (where is_late) as late,
       count(*) filter (where is_deleted) as deleted,
       avg(impressions) filter (where not is_late and not is_deleted) as impressions_mean,
       avg(likes) filter (where not is_late and not is_deleted) as likes_mean,
       avg(replies) filter (where not is_late and not is_deleted) as replies_mean,
       avg(reposts) filter (where not is_late and not is_deleted) as reposts_mean,
       avg(reward) filter (where not is_late and not is_deleted) as reward_mean
from snapshots
group by strategy, channel, window_s
order by strategy, channel, window_s
