-- name: opted_out_authors
-- Authors, in lower case, who asked not to be answered.
select lower(author) as author from opt_out where platform = %(platform)s and lower(author) = any (%(authors)s)
