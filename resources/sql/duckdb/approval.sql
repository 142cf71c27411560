-- What reviewers decided on drafts of the last days: in all, by strategy, by prompt version; for a channel or (null) all.
-- Decisions of people and of the simulated reviewer never mix. rate_low and rate_high are Wilson's 95 % interval.
with counted as (
  select p.days as period_days, r.is_simulated, r.channel,
         case grouping(r.strategy, r.prompt_version) when 3 then 'all' when 1 then 'strategy' else 'prompt' end as split,
         coalesce(r.strategy, r.prompt_version) as name,
         count(*) as decided,
         count(*) filter (where r.decision = 'approved') as approved,
         count(*) filter (where r.decision = 'approved' and r.was_edited) as edited,
         count(*) filter (where r.decision = 'rejected') as rejected,
         count(*) filter (where r.decision = 'sent_back') as sent_back,
         median(r.drafted_to_decided_s) as decide_p50_s,
         quantile_cont(r.drafted_to_decided_s, 0.95) as decide_p95_s
  from reviews r
  join periods p on r.day >= p.since
  group by grouping sets (
    (p.days, r.is_simulated), (p.days, r.is_simulated, r.channel),
    (p.days, r.is_simulated, r.strategy), (p.days, r.is_simulated, r.channel, r.strategy),
    (p.days, r.is_simulated, r.prompt_version), (p.days, r.is_simulated, r.channel, r.prompt_version)
  )
), rated as (
  select *, approved / decided as approval_rate, 1.959963985 ** 2 as z2, edited / nullif(approved, 0) as edit_share
  from counted
)
select period_days, is_simulated, channel, split, name, decided, approved, edited, rejected, sent_back, approval_rate,
       greatest(0, (approval_rate + z2 / (2 * decided)
         - sqrt(z2 * (approval_rate * (1 - approval_rate) + z2 / (4 * decided)) / decided)) / (1 + z2 / decided)) as rate_low,
       least(1, (approval_rate + z2 / (2 * decided)
         + sqrt(z2 * (approval_rate * (1 - approval_rate) + z2 / (4 * decided)) / decided)) / (1 + z2 / decided)) as rate_high,
       edit_share, decide_p50_s, decide_p95_s
from rated
order by period_days, is_simulated, channel nulls first, split, name
