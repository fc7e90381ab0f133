-- A commit is told of git, and answers a pull request on GitHub: a parent is named with its platform.
alter table activities add column source_parent_platform text; -- where the parent is
update activities set source_parent_platform = platform where source_parent_id is not null;
alter table activities add constraint a_parent_is_named_with_its_platform
    check ((source_parent_id is null) = (source_parent_platform is null));

drop index activities_without_their_parent;
-- Children whose parent has not come yet; what tells them apart stands first, as in 0009.
create index activities_without_their_parent on activities (source_parent_id, source_parent_platform, tenant_id)
    where parent_id is null and source_parent_id is not null;
-- The same by their age: the end of a run looks at those that came while it lasted.
create index waiting_children_by_age on activities (tenant_id, updated_at)
    where parent_id is null and source_parent_id is not null;
