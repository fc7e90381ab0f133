-- `delayed_iff_until` and `counted_iff_finished` speak of wholes, and let halves pass: a time without
-- a reason, two counts of three.

alter table integration_runs
    add constraint no_half_a_delay check (num_nonnulls(delayed_until, delay_reason) in (0, 2)),
    add constraint no_half_a_count check (num_nonnulls(streams_processed, streams_failed, records) in (0, 3));
