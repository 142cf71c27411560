-- What did not go straight, by day, channel and reason: refusals, outcomes that nobody saw, what read-backs and people made
-- of them, tries again, hand-offs, what was taken back or given up.
select day, channel, is_sandbox, is_simulated,
       case
         when from_state = 'unknown' and to_state = 'sent' then 'found'
         when from_state = 'unknown' and to_state = 'queued' then 'sent_again'
         when from_state = 'sending' and to_state = 'queued' then 'tried_again'
         else to_state
       end as what,
       coalesce(reason_code, '') as reason,
       count(*) as n, count(distinct publication_id) as replies
from moves
group by all
order by day, channel, is_simulated, what, reason
