-- What a connection could sync: asked for once, answered with a list or a reason.

create type discovery_state as enum (
    'pending',     -- to be claimed once it is due
    'processing',  -- leased to a worker
    'done',        -- the units are listed
    'error'        -- they cannot be; the error says why
);

create table discoveries (
    id uuid primary key,                             -- one look at what a connection can see
    tenant_id uuid not null references tenants on delete cascade, -- who wants to know
    kind text not null,                              -- the platform type, as the registry knows it
    settings jsonb not null,                         -- what the tenant typed
    credential_id uuid,                              -- what lets us in; null: the platform is open to everybody
    state discovery_state not null default 'pending',
    lease_token uuid,                                -- random per claim; every write of the holder names it
    due_at timestamptz not null,                     -- not claimed before; of a claimed one, the lease's end
    send_at timestamptz,                             -- when a message about it is due; null: it has ended
    sends int not null default 0,                    -- messages sent since it was last claimed
    attempts int not null default 0,                 -- failures and workers that died over it, of five
    requests bigint not null default 0,              -- provider requests it took
    units jsonb,                                     -- id, name, description and item_count of each
    error text,                                      -- why there is no list, or why it waits to be retried
    created_at timestamptz not null default now(),   -- when it was asked for
    processed_at timestamptz,                        -- when it ended
    constraint discovery_finished_iff_terminal check ((processed_at is not null) = (state in ('done', 'error'))),
    constraint discovered_iff_done check ((state = 'done') = (units is not null)),
    constraint a_discovery_error_says_why check (state <> 'error' or error is not null),
    constraint discovery_leased_iff_processing check ((state = 'processing') = (lease_token is not null)),
    constraint discovery_sent_until_it_ends check ((processed_at is null) = (send_at is not null)),
    constraint discovered_with_the_same_tenants_credential
        foreign key (tenant_id, credential_id) references credentials (tenant_id, id) on delete cascade
);
-- The sweep: those whose message is due.
create index discoveries_to_send on discoveries (send_at) where send_at is not null;
-- What was discovered with a credential, for deletes.
create index discoveries_with_a_credential on discoveries (credential_id) where credential_id is not null;
-- A tenant's, oldest first: those of long ago are forgotten.
create index discoveries_of_a_tenant on discoveries (tenant_id, created_at);
