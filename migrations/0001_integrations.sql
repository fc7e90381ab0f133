-- Who our customers are and what they have connected.

create table tenants (
    id uuid primary key,                             -- nothing crosses tenants
    name text not null,                              -- what people call the customer
    created_at timestamptz not null default now()    -- when we first heard of them
);

create table tenant_tokens (
    token_sha256 bytea primary key,                  -- of a bearer token; the token itself is stored nowhere
    tenant_id uuid not null references tenants on delete cascade, -- whom the token lets in
    created_at timestamptz not null default now(),   -- when it was given out
    constraint token_hash_is_a_sha256 check (length(token_sha256) = 32)
);

create type integration_status as enum (
    'active',          -- checked by ticks
    'paused',          -- by its tenant: nothing is fetched until resumed
    'needs_reconnect'  -- the platform refused our credentials: nothing is fetched until reconnected
);

create table integrations (
    id uuid primary key,                             -- one connection of a tenant to one platform
    tenant_id uuid not null references tenants on delete cascade, -- whose
    kind text not null,                              -- the platform type, as the registry knows it
    settings jsonb not null,                         -- what the tenant typed; a run never writes it
    units text[] not null default '{}',              -- external sync units chosen when connecting; empty: all
    state jsonb,                                     -- what we remember between runs; only a run writes it
    status integration_status not null default 'active', -- whether anything is fetched
    status_reason text,                              -- why it needs to be reconnected
    next_check_tick bigint,                          -- due when a tick reaches it; null: never checked by ticks
    onboarding_wanted boolean not null default false, -- asked for while a check was live; follows it
    onboarded_at timestamptz,                        -- end of the last onboarding without a hole
    created_at timestamptz not null default now(),   -- when it was connected
    updated_at timestamptz not null default now(),   -- when its tenant last changed it
    constraint reason_iff_needs_reconnect check ((status = 'needs_reconnect') = (status_reason is not null))
);

-- Due integrations of a kind: ticks read this and nothing else.
create index integrations_due on integrations (kind, next_check_tick)
    where status = 'active' and next_check_tick is not null;
-- A tenant's list, page by page.
create index integrations_of_a_tenant on integrations (tenant_id, id);
