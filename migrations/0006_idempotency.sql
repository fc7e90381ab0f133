-- Requests that their tenant may send twice: what was answered is kept with what was done.

create table idempotency_keys (
    tenant_id uuid not null references tenants on delete cascade, -- whose
    key text not null,                               -- as the tenant chose it
    request_sha256 bytea not null,                   -- of what was asked for: the same key with other words is a mistake
    token uuid not null,                             -- random per taking; whoever carries the request out names it
    held_until timestamptz not null,                 -- by the database's clock; afterwards the same request may take over
    status smallint,                                 -- of the answer; null: not carried out yet
    location text,                                   -- of what was made
    body text,                                       -- the answer, letter by letter
    created_at timestamptz not null default now(),   -- forgotten a day later
    primary key (tenant_id, key),
    constraint request_hash_is_a_sha256 check (length(request_sha256) = 32),
    constraint answered_as_a_whole check (num_nonnulls(status, location, body) in (0, 3))
);
-- What is to be forgotten.
create index idempotency_keys_by_age on idempotency_keys (created_at);
