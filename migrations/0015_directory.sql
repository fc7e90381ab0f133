-- The accounts of a tenant on a platform, in the order of their names: who looks them up a hundred at a
-- time would else pass by everybody's of every tenant. Only those with a name, so that a look-up by the
-- platform's own id cannot go by this index, which would read all that the tenant has.
create index names_of_a_tenant on member_identities (tenant_id, platform, username) where username is not null;
