-- States of publications and how long the sent ones took. Seconds are of the wall clock.
select channel, is_sandbox, is_simulated, was_handed_off, state,
       count(*) as publications,
       median(heard_to_sent_s) as heard_to_sent_median_s,
       quantile_cont(heard_to_sent_s, 0.9) as heard_to_sent_p90_s,
       median(due_to_sent_s) as due_to_sent_median_s
from publications
group by all
order by channel, state, is_simulated, was_handed_off
