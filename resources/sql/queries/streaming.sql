-- name: take_stream_slot
-- Whether the stream of a token is now this connection's, until it is closed.
select pg_try_advisory_lock(21080, hashtext(%(stream_key)s))
