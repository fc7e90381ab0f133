-- What tells rows apart stands first. With tenant and platform in front, each of these indexes looked as
-- good as its neighbour to a planner that knows little of the table, and the wrong one reads all that the
-- tenant has.
drop index username_is_unique_on_its_platform;
drop index account_is_unique_on_its_platform;
drop index activity_is_unique;
-- One member per name on a platform.
create unique index username_is_unique_on_its_platform on member_identities (username, platform, tenant_id);
-- One member per account, whatever it is called now.
create unique index account_is_unique_on_its_platform on member_identities (source_id, platform, tenant_id);
-- An activity is stored once; type last, so that parents are found by it.
create unique index activity_is_unique on activities (source_id, platform, tenant_id, type);
