//! What we ask of a running cluster, through its own client.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Cluster;
use crate::process::output_of;

impl Cluster {
    /// Makes the database `name` if it is not there yet.
    pub fn create_database(&self, name: &str) -> Result<()> {
        ensure_plain(name)?;
        let there = format!("select 1 from pg_database where datname = '{name}'");
        if self.psql("postgres", &["-At", "-c", &there])?.is_empty() {
            self.psql("postgres", &["-c", &format!(r#"create database "{name}""#)])?;
        }
        Ok(())
    }

    /// Removes the database `name`, if it is there, with whoever is connected to it.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        ensure_plain(name)?;
        let drop = format!(r#"drop database if exists "{name}" with (force)"#);
        self.psql("postgres", &["-c", &drop]).map(|_| ())
    }

    /// Runs the SQL in `file`, in one transaction.
    pub fn run_file(&self, database: &str, file: &Path) -> Result<()> {
        let file = file.to_str().context("the file's path is not UTF-8")?;
        self.psql(database, &["-1", "-f", file]).with_context(|| format!("running {file}"))?;
        Ok(())
    }

    /// Runs `psql` and answers with what it printed.
    fn psql(&self, database: &str, arguments: &[&str]) -> Result<String> {
        let mut psql = Command::new(self.binaries.program("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]).args(arguments);
        psql.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        psql.env("PGDATABASE", database).env("PGUSER", Self::USER);
        psql.env("PGPASSWORD", &self.password).env_remove("PGSERVICE").env_remove("PGOPTIONS");
        output_of(psql)
    }
}

fn ensure_plain(name: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    ensure!(name.chars().all(is_plain), "“{name}” is no name for a database");
    Ok(())
}
