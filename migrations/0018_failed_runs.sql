-- The few runs of an integration that ended with a hole, for whoever lists them among many that did not.
create index runs_that_failed on integration_runs (integration_id, id desc) where state = 'error';
