-- What a page leaves for the end of its run.
alter table integration_streams add column mark text; -- in its author's words, such as the newest id on the page
