-- What is spent of each limit, and who waits for some: one row for all workers and both modes.

create table quota_ledger (
    owner text not null,                             -- whose limit: a platform's; of records, a kind's
    scope text not null,                             -- whose requests count together: a credential's or an integration's id, 'application', or 'records'
    class text not null,                             -- which requests, in the platform's words; 'records' for the kind's record limit
    per_ms bigint not null,                          -- how long a window is, in milliseconds
    allowed bigint not null,                         -- what each allows, as declared; the book has what the platform says
    book jsonb not null default '{}',                -- what is leased, spent and wanted: `domain/quota`, which alone writes it
    version bigint not null default 0,               -- one more with each write: who writes names the one it read
    spent bigint not null default 0,                 -- requests, points or records since the row was made; for people
    over_at timestamptz not null,                    -- when nothing in the book counts any more; later the row goes
    primary key (owner, scope, class, per_ms),
    constraint a_window_has_a_length check (per_ms > 0),
    constraint a_limit_allows_something check (allowed >= 0)
);
-- For rows that are over.
create index quota_that_is_over on quota_ledger (over_at);

-- Its limits begin anew, once.
drop table quota_windows;
