-- What reviewers decided on drafts of the last days: in all, by strategy, by prompt version; for a channel or (null) all.
-- Decisions of people and of the simulated reviewer never mix, nor do real channels and rehearsals.
-- low and high are Wilson's 95 % interval.
with counted as (
  select p.days as period_days, r.is_simulated, r.is_sandbox, r.channel,
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
  group by p.days, r.is_simulated, r.is_sandbox, grouping sets (
    (), (r.channel), (r.strategy), (r.channel, r.strategy), (r.prompt_version), (r.channel, r.prompt_version)
  )
)
select period_days, is_simulated, is_sandbox, channel, split, name, decided, approved, edited, rejected, sent_back,
       approved / decided as approval_rate,
       wilson_low(approved, decided) as rate_low, wilson_high(approved, decided) as rate_high,
       case when approved > 0 then edited / approved end as edit_share,
       wilson_low(edited, approved) as edit_low, wilson_high(edited, approved) as edit_high,
       decide_p50_s, decide_p95_s
from counted
order by period_days, is_simulated, is_sandbox, channel nulls first, split, name
