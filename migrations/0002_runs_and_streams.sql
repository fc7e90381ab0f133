-- Runs and their streams: what is being fetched, by whom, and what became of it.

-- Ids that grow with time, for rows made by the database: a millisecond, then chance.
create function uuid_v7() returns uuid
    language sql volatile parallel safe
return encode(
    set_bit(
        set_bit(
            overlay(
                uuid_send(gen_random_uuid())
                placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
                from 1 for 6
            ),
            52, 1
        ),
        53, 1
    ),
    'hex'
)::uuid;

create type run_state as enum (
    'pending',     -- to be claimed as soon as a worker hears of it
    'processing',  -- leased to a worker
    'delayed',     -- not before delayed_until
    'processed',   -- ended, every stream processed
    'error'        -- ended with a hole; the error says which
);

create table integration_runs (
    id uuid primary key,                             -- one processing of one integration
    integration_id uuid not null references integrations on delete cascade, -- of what
    onboarding boolean not null,                     -- everything, or what is new since the last check
    requested_by text not null,                      -- tick, connect, api, message, cli, follow_up
    state run_state not null default 'pending',      -- see docs/state-machines.md
    delayed_until timestamptz,                       -- not claimed before
    delay_reason text,                               -- rate_limit, quota, sleep, retry
    lease_token uuid,                                -- random per claim; every write of the holder names it
    lease_holder text,                               -- which worker, for people
    lease_until timestamptz,                         -- by the database's clock; afterwards anybody may claim
    send_at timestamptz,                             -- when a message about this run is due; null: none is wanted
    sends int not null default 0,                    -- messages sent since the run was last claimed
    sent_at timestamptz,                             -- when the last message was sent
    listed_at timestamptz,                           -- when its first streams were stored; null: not begun
    attempts int not null default 0,                 -- failures to begin or to close, of five
    crashes int not null default 0,                  -- workers that died while beginning it, of three
    requests bigint not null default 0,              -- provider requests made outside of streams
    created_at timestamptz not null default now(),   -- when it was asked for
    started_at timestamptz,                          -- when it was first claimed
    processed_at timestamptz,                        -- when it ended
    error text,                                      -- why it ended with a hole, or why it waits to be retried
    streams_processed bigint,                        -- final count, written when it ends
    streams_failed bigint,                           -- final count, written when it ends
    records bigint,                                  -- final count of records handed to the sink
    constraint finished_iff_terminal
        check ((processed_at is not null) = (state in ('processed', 'error'))),
    constraint counted_iff_finished
        check ((processed_at is not null) = (num_nonnulls(streams_processed, streams_failed, records) = 3)),
    constraint delayed_iff_until
        check ((state = 'delayed') = (delayed_until is not null and delay_reason is not null)),
    constraint leased_iff_processing
        check ((state = 'processing') = (num_nonnulls(lease_token, lease_holder, lease_until) = 3)),
    constraint no_half_a_lease
        check (num_nonnulls(lease_token, lease_holder, lease_until) in (0, 3)),
    constraint an_error_says_why check (state <> 'error' or error is not null),
    constraint processed_has_no_hole check (state <> 'processed' or streams_failed = 0),
    constraint a_finished_run_is_not_sent check (processed_at is null or send_at is null)
);

-- One live run per integration, whoever asks and however often.
create unique index one_live_run_per_integration on integration_runs (integration_id)
    where processed_at is null;
-- The sweep: runs whose message is due. Finished runs are not in it.
create index runs_to_send on integration_runs (send_at) where send_at is not null;
-- An integration's runs, newest first.
create index runs_of_an_integration on integration_runs (integration_id, id desc);

create type stream_state as enum (
    'pending',     -- to be stepped once it is due
    'processing',  -- being stepped under the run's lease
    'processed',   -- its page is committed
    'error'        -- given up; its siblings go on
);

create table integration_streams (
    id uuid primary key,                             -- one resumable unit of fetching
    run_id uuid not null references integration_runs on delete cascade, -- inside which run
    name text not null,                              -- what sort of stream, for people and metrics
    payload jsonb not null,                          -- the author's stream, decoded at the moment of use
    state stream_state not null default 'pending',   -- see docs/state-machines.md
    lease_token uuid,                                -- the run's lease under which it is being stepped
    due_at timestamptz not null,                     -- not stepped before
    attempts int not null default 0,                 -- failures, of five
    crashes int not null default 0,                  -- workers that died while stepping it, of three
    records bigint not null default 0,               -- records its page handed to the sink
    requests bigint not null default 0,              -- provider requests it took, failed attempts included
    last_record_id text,                             -- the page's last record, as the platform names it
    last_record_at timestamptz,                      -- and its time
    created_at timestamptz not null default now(),   -- when it was first mentioned
    processed_at timestamptz,                        -- when it ended
    error text,                                      -- why it was given up, or why it waits to be retried
    constraint stream_finished_iff_terminal
        check ((processed_at is not null) = (state in ('processed', 'error'))),
    constraint stream_leased_iff_processing
        check ((state = 'processing') = (lease_token is not null)),
    constraint a_stream_error_says_why check (state <> 'error' or error is not null)
);

-- However often a page mentions a stream, it is added once.
create unique index stream_is_unique_in_its_run on integration_streams (run_id, name, md5(payload::text));
-- Next streams: only what is still to do, oldest due first.
create index streams_to_step on integration_streams (run_id, due_at, id) where state = 'pending';
-- What a dead worker left behind.
create index streams_being_stepped on integration_streams (run_id) where state = 'processing';
-- Counts by state, and the failed ones for continue-run.
create index streams_of_a_run on integration_streams (run_id, state);
