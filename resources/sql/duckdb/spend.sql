-- Money by day: model calls as recorded, platform calls at the price of the channel's policy.
select day, 'model' as kind, model as name, count(*) as calls, cast(sum(n_items) as bigint) as items,
       cast(sum(tokens_in) as bigint) as tokens_in, cast(sum(tokens_out) as bigint) as tokens_out,
       sum(cost_usd) as cost_usd
from model_runs
group by day, model
union all
select day, 'publish', channel, count(*), count(*), null, null, sum(price_usd)
from publications
where state = 'sent' and not was_handed_off
group by day, channel
union all
select day, 'read', channel, cast(sum(n_read) as bigint), cast(sum(n_read) as bigint), null, null, sum(n_read * price_usd)
from reads
group by day, channel
order by day, kind, name
