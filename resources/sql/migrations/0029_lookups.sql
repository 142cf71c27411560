-- When a post was last asked for, whatever came of it. checked_at is only when the platform last said something of it, so
-- that what nobody could look up within its channel's retention time is seen to be late.
alter table post add column asked_at timestamptz;
