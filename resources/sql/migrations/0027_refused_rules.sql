-- A rule that the platform does not take is put aside with the platform's reason, so that the others are listened for.
-- It stays aside until its text changes, or a person has it tried again.
alter table listening_rule
  add column refused_at timestamptz,
  add column refusal text,
  add constraint listening_rule_refusal check ((refused_at is null) = (refusal is null));
