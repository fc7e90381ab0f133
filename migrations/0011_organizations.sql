-- Whom members work for, as they say.

create table organizations (
    id uuid primary key,                             -- a company or another body that people belong to
    tenant_id uuid not null references tenants on delete cascade, -- whose community
    name text not null,                              -- what the platform calls it
    url text,                                        -- its page on the platform
    description text,                                -- in its own words
    location text,                                   -- where it says it is
    email text,                                      -- how to write to it
    website text,                                    -- its own page
    avatar_url text,                                 -- its picture
    twitter_username text,                           -- its name there
    created_at timestamptz not null default now(),   -- when we first heard of it
    updated_at timestamptz not null default now()    -- when anything above last changed
);
-- One organization of a name in a tenant's community; the name first, because it tells them apart.
create unique index organization_is_unique_by_its_name on organizations (name, tenant_id);
-- For deletes of a tenant.
create index organizations_of_a_tenant on organizations (tenant_id);

create table member_organizations (
    member_id uuid not null references members on delete cascade, -- who
    organization_id uuid not null references organizations on delete cascade, -- belongs to what
    primary key (member_id, organization_id)
);
-- Who belongs to an organization, also for deletes.
create index members_of_an_organization on member_organizations (organization_id);
