-- At which place of each list the passage of a quote stood when research found it, so that it can be seen what a
-- shorter list or one leg alone would have missed. Null: not known, or the list did not hold it.
alter table evidence
  add column dense_rank integer check (dense_rank > 0),
  add column lexical_rank integer check (lexical_rank > 0),
  add column fused_rank integer check (fused_rank > 0),
  add column final_rank integer check (final_rank > 0);
