-- The next stream of a run is found by `streams_to_step`. An index on (run_id, state) looked as good
-- to the planner while it knew little of the table, and made each taking sort all that is pending.
drop index streams_of_a_run;
-- What failed in a run, the first of it first.
create index streams_given_up on integration_streams (run_id, processed_at) where state = 'error';
