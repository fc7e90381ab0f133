-- A bot of ours in the guilds of many tenants has one token, and the platform counts what it asks together.
alter table credentials add column counted_as uuid; -- the same for those with the same secret; its id where it is the only one
update credentials set counted_as = id;
alter table credentials alter column counted_as set not null;
