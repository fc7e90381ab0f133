//! Misbehaviour by script: what goes wrong, for which requests, how often.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// So often, that it never ends by itself.
pub const ALWAYS: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub enum Fault {
    /// An error in GitHub's own words.
    Status(StatusCode),
    /// 200 and `RATE_LIMITED`, as GraphQL says it; 403 and nothing left elsewhere. The window turns
    /// in so many seconds.
    PrimaryLimit { resets_in: u64 },
    /// 403 in the words of a secondary limit, with or without the seconds to wait.
    SecondaryLimit { retry_after: Option<u64> },
    /// 200 with this error and no data.
    Error { kind: Option<&'static str>, message: &'static str },
    /// The true answer, where this (`subject.page.nodes.0.author`) is null because of this error.
    Partial { path: &'static str, kind: Option<&'static str>, message: &'static str },
    /// 502, as for a query that takes GitHub more than ten seconds: if so many items or more are asked
    /// for at once.
    TooMuch { from: u64 },
    /// The connection is taken and nothing more is heard.
    Hang,
}

#[derive(Default)]
pub(super) struct Script(Vec<Line>);

struct Line {
    what: String,
    times_left: u32,
    fault: Fault,
}

impl Script {
    pub(super) fn add(&mut self, what: &str, times: u32, fault: Fault) {
        self.0.push(Line { what: what.to_owned(), times_left: times, fault });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the first line that is about this request and not used up. `size` is how many items a
    /// query asks for.
    pub(super) fn take(&mut self, what: &str, size: Option<u64>) -> Option<Fault> {
        let due = |line: &&mut Line| {
            let small = match line.fault {
                Fault::TooMuch { from } => size.is_none_or(|size| size < from),
                _ => false,
            };
            line.times_left > 0 && !small && (line.what.is_empty() || line.what == what)
        };
        let line = self.0.iter_mut().find(due)?;
        if line.times_left != ALWAYS {
            line.times_left -= 1;
        }
        Some(line.fault.clone())
    }
}

/// Takes something out of an answer, and says why.
pub(super) fn withhold(answer: &mut Value, path: &str, kind: Option<&str>, message: &str) {
    let steps: Vec<Value> = path
        .split('.')
        .map(|step| step.parse::<usize>().map_or_else(|_| json!(step), |index| json!(index)))
        .collect();
    let mut at = &mut answer["data"];
    for step in &steps {
        at = match step {
            Value::Number(index) => &mut at[index.as_u64().unwrap_or_default() as usize],
            name => &mut at[name.as_str().unwrap_or_default()],
        };
    }
    *at = Value::Null;
    let mut error = json!({ "path": steps, "message": message });
    if let Some(kind) = kind {
        error["type"] = json!(kind);
    }
    match answer["errors"].as_array_mut() {
        Some(errors) => errors.push(error),
        None => answer["errors"] = json!([error]),
    }
}
