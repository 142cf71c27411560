-- What replies approved in the last days were worth at each age: in all, by strategy, by prompt version; for a channel or
-- (null) all; rehearsals apart. Snapshots taken too late for their window and replies that were deleted are counted, but enter
-- no mean. low and high are Student's 95 % interval of the mean; a mean of one has none, nor one of equal values. Counts are
-- never below 0. Not every platform tells impressions, nor is every reply rewarded: these have an n of their own.
with kept as (
  select p.days as period_days, s.*, not s.is_late and not s.is_deleted as counts
  from snapshots s join periods p on s.day >= p.since
), summed as (
  select period_days, is_simulated, is_sandbox, channel,
         case grouping(strategy, prompt_version) when 3 then 'all' when 1 then 'strategy' else 'prompt' end as split,
         coalesce(strategy, prompt_version) as name, window_s,
         count(*) as snapshots,
         count(*) filter (where is_late) as late,
         count(*) filter (where is_deleted) as deleted,
         count(*) filter (where counts) as n,
         count(reward) filter (where counts) as reward_n,
         count(impressions) filter (where counts) as impressions_n,
         avg(impressions) filter (where counts) as impressions_mean,
         stddev_samp(impressions) filter (where counts) as impressions_sd,
         avg(likes) filter (where counts) as likes_mean, stddev_samp(likes) filter (where counts) as likes_sd,
         avg(replies) filter (where counts) as replies_mean, stddev_samp(replies) filter (where counts) as replies_sd,
         avg(reposts) filter (where counts) as reposts_mean, stddev_samp(reposts) filter (where counts) as reposts_sd,
         avg(reward) filter (where counts) as reward_mean, stddev_samp(reward) filter (where counts) as reward_sd
  from kept
  group by period_days, is_simulated, is_sandbox, window_s, grouping sets (
    (), (channel), (strategy), (channel, strategy), (prompt_version), (channel, prompt_version)
  )
), bounded as (
  select s.*, student_half(impressions_sd, impressions_n, i.t) as impressions_half,
         student_half(likes_sd, n, t.t) as likes_half, student_half(replies_sd, n, t.t) as replies_half,
         student_half(reposts_sd, n, t.t) as reposts_half, student_half(reward_sd, reward_n, r.t) as reward_half
  from summed s
  left join student t on t.df = least(s.n - 1, 200)
  left join student r on r.df = least(s.reward_n - 1, 200)
  left join student i on i.df = least(s.impressions_n - 1, 200)
)
select period_days, is_simulated, is_sandbox, channel, split, name, window_s, snapshots, late, deleted, n,
       impressions_n, impressions_mean,
       at_least_zero(impressions_mean - impressions_half) as impressions_low,
       impressions_mean + impressions_half as impressions_high,
       likes_mean, at_least_zero(likes_mean - likes_half) as likes_low, likes_mean + likes_half as likes_high,
       replies_mean, at_least_zero(replies_mean - replies_half) as replies_low, replies_mean + replies_half as replies_high,
       reposts_mean, at_least_zero(reposts_mean - reposts_half) as reposts_low, reposts_mean + reposts_half as reposts_high,
       reward_n, reward_mean, reward_mean - reward_half as reward_low, reward_mean + reward_half as reward_high
from bounded
order by period_days, is_simulated, is_sandbox, channel nulls first, split, name, window_s
