//! `millrace tenants`: customers, and the tokens that let them in.

use std::collections::HashMap;
use std::fmt::Write;
use std::process::ExitCode;

use anyhow::bail;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;
use shared::config::DatabaseArgs;
use shared::domain::TenantId;
use shared::store::{Store, Tenant};

use crate::{connections, stdout};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add a tenant; its API token is shown once
    Create {
        /// What people call the customer
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// All tenants
    List {
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create { name, json, database } => {
            create(&connections::store(&database).await?, &name, json).await?;
        }
        Command::List { json, database } => {
            list(&connections::store(&database).await?, json).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(store: &Store, name: &str, json: bool) -> anyhow::Result<()> {
    let token = new_token();
    let tenant = store.add_tenant(name, &token).await?;
    if json {
        return Ok(stdout::json(&TenantView { token: Some(&token), ..TenantView::of(&tenant) })?);
    }
    stdout::line(format!("tenant  {}  {}", tenant.id, tenant.name))?;
    stdout::line(format!("token   {token}"))?;
    eprintln!("The token is stored nowhere: this is the only time it is shown.");
    Ok(())
}

async fn list(store: &Store, json: bool) -> anyhow::Result<()> {
    let tenants = store.tenants().await?;
    if json {
        let tenants: Vec<_> = tenants.iter().map(TenantView::of).collect();
        return Ok(stdout::json(&tenants)?);
    }
    let rows = tenants.into_iter().map(|tenant| [tenant.id.to_string(), tenant.name]);
    Ok(stdout::table(["TENANT", "NAME"], rows)?)
}

/// The one tenant that is meant.
pub(crate) async fn find(store: &Store, id_or_name: &str) -> anyhow::Result<Tenant> {
    let mut called = store.tenants_called(id_or_name).await?;
    let Some(tenant) = called.pop() else {
        bail!("there is no tenant `{id_or_name}`; `millrace tenants list` shows all");
    };
    if !called.is_empty() {
        let ids: Vec<_> = called.iter().chain([&tenant]).map(|same| same.id.to_string()).collect();
        bail!("several tenants are called `{id_or_name}`, name one by its id: {}", ids.join(", "));
    }
    Ok(tenant)
}

/// The one that is meant, where only one tenant's things are wanted.
pub(crate) async fn find_if_named(
    store: &Store,
    id_or_name: Option<&str>,
) -> anyhow::Result<Option<TenantId>> {
    match id_or_name {
        Some(id_or_name) => Ok(Some(find(store, id_or_name).await?.id)),
        None => Ok(None),
    }
}

/// What people call them, for tables of what they have.
pub(crate) struct Names(HashMap<TenantId, String>);

impl Names {
    pub(crate) async fn of_all(store: &Store) -> anyhow::Result<Self> {
        let tenants = store.tenants().await?.into_iter();
        Ok(Self(tenants.map(|tenant| (tenant.id, tenant.name)).collect()))
    }

    /// Its id, for one that was added a moment ago.
    pub(crate) fn of(&self, id: TenantId) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// 256 random bits, with a prefix by which a leaked token is recognised.
pub(crate) fn new_token() -> String {
    let random: [u8; 32] = rand::random();
    random.iter().fold(String::from("mill_"), |mut token, byte| {
        // Writing to a string never fails.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

#[derive(Serialize)]
struct TenantView<'a> {
    id: TenantId,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

impl<'a> TenantView<'a> {
    fn of(tenant: &'a Tenant) -> Self {
        Self { id: tenant.id, name: &tenant.name, token: None }
    }
}
