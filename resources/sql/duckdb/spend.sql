-- Money by day: model calls as recorded, what platforms charged as the meter counted it (items: those charged; what a
-- process that died may have spent is a read). Models are shared by all channels, rehearsals too.
select day, 'model' as kind, model as name, false as is_sandbox, count(*) as calls,
       cast(sum(n_items) as bigint) as items, cast(sum(tokens_in) as bigint) as tokens_in,
       cast(sum(tokens_out) as bigint) as tokens_out, sum(cost_usd) as cost_usd
from model_runs
group by day, model
union all
select day, case when action like '%read' or action = 'unaccounted' then 'read' else 'publish' end, channel, is_sandbox,
       cast(sum(n_resources) as bigint), cast(sum(n_charged) as bigint), null, null, sum(spent_usd)
from platform_spend
group by 1, 2, 3, 4
order by day, kind, name
