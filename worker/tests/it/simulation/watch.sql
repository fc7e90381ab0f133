-- Watches every change of a run and of a stream, and notes what must never be. In a transaction that
-- is rolled back nothing has been, and nothing is noted.

create table violations (what text not null);
-- Every lease that was ever given.
create table tokens (token uuid primary key, run uuid not null);
-- Every change of hands or of state.
create table moves (run uuid not null, stolen boolean not null);
-- Every page that was committed.
create table committed (kind text not null, records bigint not null);

create function violate(what text) returns void language sql as $$
    insert into violations values (what)
$$;

create function watch_run() returns trigger language plpgsql as $$
declare
    stolen boolean := old.state = 'processing' and new.state = 'processing';
begin
    if old.state = new.state and old.lease_token is not distinct from new.lease_token then
        return null;
    end if;
    insert into moves values (new.id, stolen);
    if (old.state, new.state) not in (
        ('pending', 'processing'), ('delayed', 'processing'), ('processing', 'processing'),
        ('processing', 'pending'), ('processing', 'delayed'), ('processing', 'processed'), ('processing', 'error'),
        -- Continued.
        ('delayed', 'pending'), ('processed', 'pending'), ('error', 'pending')
    ) then
        perform violate(format('run %s went from %s to %s', new.id, old.state, new.state));
    end if;
    if new.state = 'processing' then
        insert into tokens values (new.lease_token, new.id) on conflict do nothing;
        if not found then
            perform violate(format('lease %s was given twice', new.lease_token));
        end if;
    end if;
    if stolen and old.lease_until >= new.lease_until - interval '30 seconds' then
        perform violate(format('run %s was taken from %s before its lease ended', new.id, old.lease_holder));
    end if;
    if new.state = 'processed'
        and exists (select from integration_streams where run_id = new.id and state <> 'processed')
    then
        perform violate(format('run %s is processed over a hole', new.id));
    end if;
    return null;
end $$;

create trigger watch_run after update on integration_runs for each row execute function watch_run();

create function watch_stream() returns trigger language plpgsql as $$
declare
    lease uuid := (select lease_token from integration_runs where id = new.run_id);
begin
    if new.state = 'processing' and new.lease_token is distinct from lease then
        perform violate(format('stream %s was taken without its run''s lease', new.id));
    end if;
    if old.state = 'processing' and new.state = 'processed' then
        insert into committed
        select i.kind, new.records
        from integration_runs r join integrations i on i.id = r.integration_id
        where r.id = new.run_id;
        if old.lease_token is distinct from lease then
            perform violate(format('a page of stream %s was committed without its run''s lease', new.id));
        end if;
    end if;
    if new.attempts > old.attempts + 1 or new.crashes > old.crashes + 1 then
        perform violate(format('stream %s paid twice', new.id));
    end if;
    return null;
end $$;

create trigger watch_stream after update on integration_streams for each row execute function watch_stream();
