mod examination;
mod rehearsal;
