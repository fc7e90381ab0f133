-- Who emits ticks, which ticks have been, and how much of each limit is spent.

create table scheduler_lease (
    name text primary key,                           -- what is scheduled; one row: 'ticks'
    token uuid not null,                             -- random per taking; every later write names it
    holder text not null,                            -- which generator, for people
    held_until timestamptz not null                  -- by the database's clock; afterwards anybody may take it
);

create table ticks (
    number bigint primary key,                       -- floor(now / TICK_SECONDS): inserting it is firing it
    holder text not null,                            -- who fired it
    fired_at timestamptz not null default now(),     -- when
    runs_made bigint not null default 0              -- how many checks came of it
);

create table quota_windows (
    kind text not null,                              -- whose limit
    scope text not null,                             -- which limit of the kind: 'records'
    window_start timestamptz not null,               -- when counting began
    window_end timestamptz not null,                 -- when it begins anew
    used bigint not null default 0,                  -- spent so far, by all workers and both modes
    primary key (kind, scope, window_start),
    constraint a_window_has_a_length check (window_end > window_start)
);
