-- How long a tick is. Checks are due at numbered ticks, and by another length each number would mean another
-- time: a generator that counts by another one does not start.
create table tick_length (
    one boolean primary key default true,            -- there is one row
    seconds bigint not null,                         -- TICK_SECONDS of every generator
    constraint there_is_one_length check (one),
    constraint a_tick_takes_a_while check (seconds > 0)
);

-- Where ticks have been fired, their numbers tell: floor(now / TICK_SECONDS).
insert into tick_length (seconds)
select floor(extract(epoch from fired_at) / number) from ticks where number > 0 order by number desc limit 1;
