-- Visits of links are kept by day and by site for a time only; then a month of a link is one number.

-- What is left to fold, however much is folded: a folded month stands on its first day without the name of a site.
create index link_visit_unfolded on link_visit (day) where referrer_host <> 'other' or extract(day from day) <> 1;
grant delete on link_visit to rejoinder_may_run;

-- The address that a quote was linked by, as its draft was made: it stays what it was when settings change.
alter table draft_evidence add column address text check (address ~ '^https?://[^[:space:]]+$');
