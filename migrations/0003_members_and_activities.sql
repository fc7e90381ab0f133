-- What the sink writes: people, the names they have on platforms, and what they did.

create table members (
    id uuid primary key,                             -- a person
    tenant_id uuid not null references tenants on delete cascade, -- whose community
    display_name text,                               -- the first one seen
    emails text[] not null default '{}',             -- all ever seen, sorted
    joined_at timestamptz,                           -- earliest real sign of them
    reach jsonb not null default '{}',               -- followers by platform, and their total
    attributes jsonb not null default '{}',          -- name → platform → value
    created_at timestamptz not null default now(),   -- when we first met them
    updated_at timestamptz not null default now()    -- when anything above last changed
);
-- A tenant's members, page by page.
create index members_of_a_tenant on members (tenant_id, id);

create table member_identities (
    tenant_id uuid not null references tenants on delete cascade, -- whose community
    platform text not null,                          -- where
    username text,                                   -- the name they have there now; null: passed to another account
    source_id text,                                  -- the platform's own id of the account, where there is one
    member_id uuid not null references members on delete cascade deferrable initially deferred, -- whose account
    created_at timestamptz not null default now(),   -- when we first saw the account
    constraint an_identity_names_an_account check (num_nonnulls(username, source_id) > 0)
);
-- One member per name on a platform.
create unique index username_is_unique_on_its_platform on member_identities (tenant_id, platform, username);
-- One member per account, whatever it is called now.
create unique index account_is_unique_on_its_platform on member_identities (tenant_id, platform, source_id);
-- A member's accounts.
create index identities_of_a_member on member_identities (member_id);

create table member_attributes (
    tenant_id uuid not null references tenants on delete cascade, -- whose community
    name text not null,                              -- key in members.attributes
    type text not null,                              -- string, url, boolean, number
    label text not null,                             -- for people
    hidden boolean not null,                         -- of no use to people
    primary key (tenant_id, name)                    -- defined once per tenant
);

create table activities (
    id uuid primary key,                             -- a thing a person did
    tenant_id uuid not null references tenants on delete cascade, -- in whose community
    integration_id uuid references integrations on delete set null, -- which integration saw it last
    member_id uuid not null references members,      -- who did it
    object_member_id uuid references members,        -- to whom, where there is one
    platform text not null,                          -- where
    type text not null,                              -- comment, message, star, …
    source_id text not null,                         -- the platform's id of it
    source_parent_id text,                           -- the platform's id of what it answers
    parent_id uuid references activities on delete set null, -- the same as our row, once it has come
    timestamp timestamptz not null,                  -- when it was done
    title text,                                      -- of the activity itself
    body text,                                       -- HTML is sanitised
    url text,                                        -- where a person can see it
    channel text,                                    -- in which channel, repository, …
    attributes jsonb not null default '{}',          -- whatever else the platform said
    score smallint not null,                         -- how much it counts
    is_contribution boolean not null,                -- whether it moved something forward
    created_at timestamptz not null default now(),   -- when we first stored it
    updated_at timestamptz not null default now(),   -- when anything above last changed
    constraint an_activity_is_not_its_own_parent check (parent_id <> id)
);
-- An activity is stored once; source_id first, so that parents are found by it.
create unique index activity_is_unique on activities (tenant_id, platform, source_id, type);
-- Children whose parent has not come yet.
create index activities_without_their_parent on activities (tenant_id, platform, source_parent_id)
    where parent_id is null and source_parent_id is not null;
-- The other end of parent_id, for deletes.
create index activities_of_a_parent on activities (parent_id) where parent_id is not null;
-- What a member did.
create index activities_of_a_member on activities (member_id);
-- What was done to a member, for deletes.
create index activities_towards_a_member on activities (object_member_id) where object_member_id is not null;
-- What an integration saw, for deletes.
create index activities_of_an_integration on activities (integration_id);

-- Two levels deep: what `new` says wins, what it does not say stays.
create function merged_attributes(old jsonb, new jsonb) returns jsonb
    language sql immutable parallel safe
return case
    when new = '{}' then old
    when old = '{}' then new
    else old || (
        select jsonb_object_agg(
            key,
            case when jsonb_typeof(value) = 'object' and jsonb_typeof(old -> key) = 'object'
                then (old -> key) || value
                else value
            end
        )
        from jsonb_each(new)
    )
end;

-- Followers by platform: the newest number of each, and their total.
create function merged_reach(old jsonb, new jsonb) returns jsonb
    language sql immutable parallel safe
return case
    when new = '{}' then old
    else (
        with platforms as (select key, value from jsonb_each((old || new) - 'total'))
        select jsonb_object_agg(key, value)
            || jsonb_build_object('total', sum(value::numeric))
        from platforms
    )
end;

-- Arrays as sets.
create function merged_set(old text[], new text[]) returns text[]
    language sql immutable parallel safe
return case
    when new <@ old then old
    else (select array_agg(distinct element order by element) from unnest(old || new) element)
end;
