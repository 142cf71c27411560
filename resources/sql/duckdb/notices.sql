-- What people were told, by day and kind, and how soon it was read.
select day, kind, count(*) as n, count(*) filter (where was_read) as n_read, count(*) filter (where is_over) as n_over,
       median(read_after_s) as read_p50_s
from notices
group by day, kind
order by day, kind
