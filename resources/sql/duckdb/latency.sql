-- How long the steps of replies approved in the last days took, in seconds of the wall clock; for a channel or (null) all.
-- approved_to_due is of those alone for which a person chose a time; due_to_sent begins where that ends, heard_to_sent has both.
-- What people posted by hand enters no step that ends in sent.
with steps as (
  unpivot (
    select p.days as period_days, b.is_simulated, b.is_sandbox, b.channel, b.heard_to_drafted_s as heard_to_drafted,
           b.drafted_to_approved_s as drafted_to_approved,
           case when not b.was_handed_off and b.due_to_sent_s is not null then b.approved_to_due_s end as approved_to_due,
           case when not b.was_handed_off then b.due_to_sent_s end as due_to_sent,
           case when not b.was_handed_off then b.heard_to_sent_s end as heard_to_sent
    from publications b join periods p on b.day >= p.since
  ) on heard_to_drafted, drafted_to_approved, approved_to_due, due_to_sent, heard_to_sent into name step value seconds
)
select period_days, is_simulated, is_sandbox, channel, step, count(*) as n,
       median(seconds) as p50_s, quantile_cont(seconds, 0.95) as p95_s
from steps
group by grouping sets ((period_days, is_simulated, is_sandbox, step), (period_days, is_simulated, is_sandbox, channel, step))
order by period_days, is_simulated, is_sandbox, channel nulls first, list_position(
  ['heard_to_drafted', 'drafted_to_approved', 'approved_to_due', 'due_to_sent', 'heard_to_sent'], step)
