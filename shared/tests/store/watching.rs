//! What the store asks of PostgreSQL, and what it costs there: the very statements, with the plans
//! they were executed by.
//!
//! PostgreSQL's own `auto_explain` sends each plan back as a notice, which sqlx hands to `tracing`.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// A pool of one connection, whose statements are watched from this thread.
pub(crate) struct Watched {
    pub(crate) pool: PgPool,
    notices: Notices,
    _listening: DefaultGuard,
}

impl Watched {
    pub(crate) async fn connect(options: PgPoolOptions, database: PgConnectOptions) -> Self {
        let notices = Notices::default();
        let subscriber = tracing_subscriber::registry().with(notices.clone());
        let listening = tracing::subscriber::set_default(subscriber);
        let database = database.options([
            ("session_preload_libraries", "auto_explain"),
            ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_buffers", "on"),
            ("auto_explain.log_timing", "off"),
            ("auto_explain.log_format", "json"),
            ("auto_explain.log_level", "notice"),
        ]);
        let options = options.max_connections(1).idle_timeout(None);
        let pool = options.connect_with(database).await.unwrap();
        Self { pool, notices, _listening: listening }
    }

    /// The statements since this was asked last.
    pub(crate) async fn statements(&self) -> Vec<Statement> {
        // A statement is told of when the next one begins.
        sqlx::raw_sql(LAST).execute(&self.pool).await.unwrap();
        let notices = std::mem::take(&mut *self.notices.0.lock().unwrap());
        let plans = notices.iter().filter_map(|notice| notice.split_once("plan:\n"));
        let statements = plans.map(|(_, plan)| Statement(serde_json::from_str(plan).unwrap()));
        statements
            .filter(|statement| statement.text() != LAST && !statement.is_postgres_own())
            .collect()
    }
}

const LAST: &str = "select 'the last'";

/// A statement as it was executed.
pub(crate) struct Statement(Value);

impl Statement {
    pub(crate) fn text(&self) -> &str {
        self.0["Query Text"].as_str().expect("a statement has a text")
    }

    /// Its first words.
    pub(crate) fn beginning(&self) -> String {
        self.text().split_whitespace().take(12).collect::<Vec<_>>().join(" ")
    }

    /// A reference that is checked at the commit: nobody sent that.
    fn is_postgres_own(&self) -> bool {
        self.text().starts_with("SELECT 1 FROM ONLY ")
    }

    /// Pages of 8 kB that were looked at. A node counts those of the nodes below it; an update whose
    /// rows nobody asks for is executed last, and counted by no other.
    pub(crate) fn pages(&self) -> u64 {
        let mut most = 0;
        visit(&self.0["Plan"], &mut |node| {
            let count = |name: &str| node[name].as_u64().expect("buffers are logged");
            most = most.max(count("Shared Hit Blocks") + count("Shared Read Blocks"));
        });
        most
    }

    /// The tables that were read from beginning to end.
    pub(crate) fn read_whole(&self) -> Vec<String> {
        let mut tables = Vec::new();
        visit(&self.0["Plan"], &mut |node| {
            if node["Node Type"] == "Seq Scan" {
                tables.push(node["Relation Name"].as_str().expect("of a table").to_owned());
            }
        });
        tables
    }
}

impl Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{:#}", self.text(), self.0["Plan"])
    }
}

fn visit(node: &Value, look: &mut impl FnMut(&Value)) {
    look(node);
    for child in node["Plans"].as_array().into_iter().flatten() {
        visit(child, look);
    }
}

/// PostgreSQL's notices, as sqlx passes them on.
#[derive(Clone, Default)]
struct Notices(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Notices {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::postgres::notice" {
            event.record(&mut self.clone());
        }
    }
}

impl Visit for Notices {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.0.lock().unwrap().push(value.to_owned());
        }
    }
}
