-- What came of links of our own, by day, channel, strategy and prompt version: visits of people (bots apart), what visitors
-- then did as the creator's site told us, and what that was worth. Days are of the visit and of the conversion.
select day, channel, is_simulated, strategy, prompt_version,
       cast(coalesce(sum(visits) filter (where not is_bot), 0) as bigint) as visits,
       cast(coalesce(sum(visits) filter (where is_bot), 0) as bigint) as bot_visits,
       cast(sum(conversions) as bigint) as conversions, sum(value_usd) as value_usd
from links
group by all
order by day, channel, strategy, prompt_version
