-- What people decided, by strategy and prompt. Decisions of the simulated reviewer are counted apart and in no rate.
select strategy, prompt_version,
       count(*) filter (where not is_simulated) as decided,
       count(*) filter (where not is_simulated and decision = 'approved') as approved,
       count(*) filter (where not is_simulated and decision = 'approved' and was_edited) as edited,
       count(*) filter (where not is_simulated and decision = 'rejected') as rejected,
       count(*) filter (where not is_simulated and decision = 'sent_back') as sent_back,
       count(*) filter (where is_simulated) as simulated,
       -- 0 / 0 is null: no decision, no rate.
       approved / nullif(decided, 0) as approval_rate
from reviews
group by strategy, prompt_version
order by strategy, prompt_version
