-- What lets integrations in at their platforms. The secret is sealed: see shared/src/keyring.

create type credential_type as enum (
    'secret',      -- one secret, such as a bot's token
    'fields',      -- several, by name
    'oauth2',      -- granted by a person to an application (RFC 6749)
    'github_app'   -- an installation of a GitHub App
);

create type credential_state as enum (
    'valid',       -- as far as we know
    'expired',     -- its time is over, and it cannot be renewed
    'revoked'      -- the platform refused it
);

create table credentials (
    id uuid not null,                                -- one way in at one platform
    tenant_id uuid not null references tenants on delete cascade, -- whose
    platform text not null,                          -- where it lets in
    type credential_type not null,                   -- how
    state credential_state not null default 'valid', -- whether it still does
    state_reason text,                               -- why it does not
    organization_id text not null,                   -- whose it is, as the platform names them; empty: not said
    organization_name text not null,                 -- and calls them
    sealed bytea not null,                           -- the secret; begins with the version and the master key's id
    sealed_by text not null generated always as      -- the master key's id, for rotating
        (encode(substring(sealed from 3 for get_byte(sealed, 1)), 'escape')) stored,
    expires_at timestamptz,                          -- when its token ends; null: when the platform says so
    version bigint not null default 1,               -- one more with each other secret: renewed, or brought by its tenant
    replacements int not null default 0,             -- how often its tenant brought another
    renewing_by uuid,                                -- random per renewal; whoever renews it names it
    renewing_until timestamptz,                      -- by the database's clock; nobody else tries before, also where nobody does
    renewed_at timestamptz,                          -- when we last got a new token with it
    secret_at timestamptz not null default now(),    -- when this secret came; its life is counted from here
    created_at timestamptz not null default now(),   -- when it was brought
    updated_at timestamptz not null default now(),   -- when its tenant last brought another
    constraint reason_iff_not_valid check ((state = 'valid') = (state_reason is null)),
    constraint who_renews_says_until_when check (renewing_by is null or renewing_until is not null),
    constraint sealed_as_a_whole check (length(sealed) > 2 + get_byte(sealed, 1) + 24 + 16),
    primary key (tenant_id, id),                     -- for integrations, which name both
    constraint credential_is_of_one_tenant unique (id)
);

alter table integrations
    add column credential_id uuid,                   -- what lets it in; null: the platform is open to everybody
    add constraint credential_is_of_the_same_tenant
        foreign key (tenant_id, credential_id) references credentials (tenant_id, id);
-- Who uses a credential, also for deletes.
create index integrations_of_a_credential on integrations (credential_id) where credential_id is not null;
