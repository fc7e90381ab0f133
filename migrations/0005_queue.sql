-- The queue for those who run without SQS. As there, a message is a hint: losing this table's
-- contents costs time and nothing else.

create table queue_messages (
    -- order of arrival
    id bigint generated always as identity primary key,
    -- the message as JSON text; enough to post one by hand: insert into queue_messages (body) …
    body text not null,
    -- whose turn it is, a tenant; empty when posted by hand ("group" is a word of SQL)
    group_id text not null default '',
    -- the W3C traceparent of what caused it
    trace text,
    -- messages are received round by round, and a group has about one in each
    round bigint not null default 0,
    -- not received before; moves on with each receive
    visible_at timestamptz not null default now(),
    -- how often it has been received
    receives integer not null default 0,
    -- of the last receive; acknowledging with an older one does nothing
    receipt uuid,
    -- when it arrived, for whoever looks
    sent_at timestamptz not null default now(),
    -- since when it is a dead letter
    dead_since timestamptz,
    -- why, when somebody said so; absent after too many receives
    dead_reason text,

    constraint a_body_is_not_empty check (body <> ''),
    constraint a_receipt_exists_iff_it_was_received check ((receipt is not null) = (receives > 0)),
    constraint only_dead_letters_have_a_reason check (dead_reason is null or dead_since is not null)
)
-- Room in each page, and no index on what a receive changes: receiving rewrites the row in place.
-- Rows come and go all day, so the table is vacuumed by count rather than by share.
with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- the order of receiving
create index queue_messages_by_turn on queue_messages (round, id) where dead_since is null;
-- a group's last round, to place what it sends next
create index queue_messages_by_group on queue_messages (group_id, round) where dead_since is null;
-- the dead letters, oldest first
create index queue_messages_dead on queue_messages (dead_since, id) where dead_since is not null;
