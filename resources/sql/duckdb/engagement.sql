-- What replies approved in the last days were worth at each age: in all, by strategy, by prompt version; for a channel or
-- (null) all. Snapshots taken too late for their window and replies that were deleted are counted, but enter no mean.
-- low and high are Student's 95 % interval of the mean; a mean of one has none, nor one of equal values. Counts are never below 0.
with kept as (
  select p.days as period_days, s.*, not s.is_late and not s.is_deleted as counts
  from snapshots s join periods p on s.day >= p.since
), summed as (
  select period_days, is_simulated, channel,
         case grouping(strategy, prompt_version) when 3 then 'all' when 1 then 'strategy' else 'prompt' end as split,
         coalesce(strategy, prompt_version) as name, window_s,
         count(*) as snapshots,
         count(*) filter (where is_late) as late,
         count(*) filter (where is_deleted) as deleted,
         count(*) filter (where counts) as n,
         count(reward) filter (where counts) as reward_n,
         count(impressions) filter (where counts) as impressions_n,
         avg(impressions) filter (where counts) as impressions_mean,
         avg(likes) filter (where counts) as likes_mean, nullif(stddev_samp(likes) filter (where counts), 0) as likes_sd,
         avg(replies) filter (where counts) as replies_mean, nullif(stddev_samp(replies) filter (where counts), 0) as replies_sd,
         avg(reposts) filter (where counts) as reposts_mean, nullif(stddev_samp(reposts) filter (where counts), 0) as reposts_sd,
         avg(reward) filter (where counts) as reward_mean, nullif(stddev_samp(reward) filter (where counts), 0) as reward_sd
  from kept
  group by grouping sets (
    (period_days, is_simulated, window_s), (period_days, is_simulated, window_s, channel),
    (period_days, is_simulated, window_s, strategy), (period_days, is_simulated, window_s, channel, strategy),
    (period_days, is_simulated, window_s, prompt_version), (period_days, is_simulated, window_s, channel, prompt_version)
  )
)
select s.period_days, s.is_simulated, s.channel, s.split, s.name, s.window_s, s.snapshots, s.late, s.deleted, s.n,
       s.impressions_n, s.impressions_mean,
       s.likes_mean, case when s.likes_sd > 0 then greatest(0, s.likes_mean - t.t * s.likes_sd / sqrt(s.n)) end as likes_low,
       s.likes_mean + t.t * s.likes_sd / sqrt(s.n) as likes_high,
       s.replies_mean, case when s.replies_sd > 0 then greatest(0, s.replies_mean - t.t * s.replies_sd / sqrt(s.n)) end as replies_low,
       s.replies_mean + t.t * s.replies_sd / sqrt(s.n) as replies_high,
       s.reposts_mean, case when s.reposts_sd > 0 then greatest(0, s.reposts_mean - t.t * s.reposts_sd / sqrt(s.n)) end as reposts_low,
       s.reposts_mean + t.t * s.reposts_sd / sqrt(s.n) as reposts_high,
       s.reward_n, s.reward_mean, s.reward_mean - u.t * s.reward_sd / sqrt(s.reward_n) as reward_low,
       s.reward_mean + u.t * s.reward_sd / sqrt(s.reward_n) as reward_high
from summed s
left join student t on t.df = least(s.n - 1, 200)
left join student u on u.df = least(s.reward_n - 1, 200)
order by s.period_days, s.is_simulated, s.channel nulls first, s.split, s.name, s.window_s
