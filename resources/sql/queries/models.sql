-- name: insert_model_run
insert into model_run
  (run_type, model, prompt_version, input_ref, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok, error)
values
  (%(run_type)s, %(model)s, %(prompt_version)s, %(input_ref)s, %(n_items)s, %(tokens_in)s, %(tokens_out)s,
   %(cost_usd)s, %(latency_ms)s, %(is_ok)s, %(error)s)
