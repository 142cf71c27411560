-- What came of links in replies, by day, channel, strategy and prompt version: replies that stand with a link and what it cost
-- more than none, how many of them count visits; visits of people (bots apart), what visitors then did as the creator's site
-- told us, and what that was worth. Days are of the sending, of the visit and of the conversion.
select day, channel, is_sandbox, is_simulated, strategy, prompt_version,
       cast(sum(replies) as bigint) as replies, cast(sum(tracked) as bigint) as tracked, sum(link_cost_usd) as link_cost_usd,
       cast(coalesce(sum(visits) filter (where not is_bot), 0) as bigint) as visits,
       cast(coalesce(sum(visits) filter (where is_bot), 0) as bigint) as bot_visits,
       cast(sum(conversions) as bigint) as conversions, sum(value_usd) as value_usd
from links
group by all
order by day, channel, is_simulated, strategy, prompt_version
