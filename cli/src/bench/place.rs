//! Where a side is measured: its database, the platform, and whose time is counted.

use std::str::FromStr;

use anyhow::{Context, ensure};
use shared::config::DatabaseConfig;
use shared::store::Store;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use super::side;
use super::size::Size;
use super::usage::{Meter, Neighbours};

pub(super) struct Place {
    /// A fresh database, with the schema, and as many connections as a service has.
    pub(super) store: Store,
    pub(super) provider_url: String,
    pub(super) sqs_endpoint_url: Option<String>,
    pub(super) size: Size,
    database_url: String,
    neighbours: Neighbours,
}

/// What a service is configured with if nobody says otherwise.
const CONNECTIONS: u32 = 20;

impl Place {
    pub(super) async fn set(args: side::Args) -> anyhow::Result<Self> {
        let store = connect(&args.database_url, CONNECTIONS)?;
        store.migrate().await?;
        Ok(Self {
            store,
            provider_url: args.provider_url,
            sqs_endpoint_url: args.sqs_endpoint_url,
            size: Size::of(args.quick),
            database_url: args.database_url,
            neighbours: args.neighbours,
        })
    }

    pub(super) fn meter(&self) -> anyhow::Result<Meter> {
        Meter::start(self.neighbours)
    }

    /// The same database, through one connection: its statements follow each other.
    pub(super) fn single_file(&self) -> anyhow::Result<Store> {
        connect(&self.database_url, 1)
    }

    /// The same database, without a store around it.
    pub(super) async fn plain_connection(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnectOptions::from_str(&self.database_url)?.connect().await?)
    }

    /// What is measured must have happened: each record is stored, once.
    pub(super) async fn expect_activities(&self, expected: usize) -> anyhow::Result<()> {
        let stored = self.store.count_stored().await?.activities;
        ensure!(stored == expected as i64, "{stored} activities were stored, not {expected}");
        Ok(())
    }
}

fn connect(url: &str, connections: u32) -> anyhow::Result<Store> {
    let config = DatabaseConfig { url: url.to_owned(), connections };
    Store::connect_lazily(&config).context("connecting to the side's database")
}
