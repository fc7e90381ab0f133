//! The questions of the examination.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::examination::Examination;
use super::front::{Fault, Front, Script};
use super::{Ending, Rehearsal, Rehearsed};
use crate::domain::Operation;
use crate::sdk::http::Options;

/// More steps than a handful of records can take, however often they fail.
const MOST_STEPS: usize = 500;

pub(super) struct Candidate {
    examination: Examination,
    front: Front,
    /// An onboarding on which all went well.
    healthy: Rehearsed,
}

impl Candidate {
    pub(super) async fn admit(examination: Examination) -> Result<Self> {
        let front = Front::before(&examination.fake).await?;
        let healthy = rehearsal(&examination, &front, Options::default())?.run().await;
        ensure!(healthy.ending == Ending::Processed, "{healthy}");
        ensure!(!records(&healthy).is_empty(), "there is nothing to be read:\n{healthy}");
        Ok(Self { examination, front, healthy })
    }

    pub(super) fn bad_settings(&self) -> Result<()> {
        let integration = (self.examination.build)(self.front.url(), Options::default())?;
        let mut spoilt = self.examination.settings.clone();
        spoilt["misspelt"] = json!(1);
        let mut fields = vec![("misspelt", spoilt)];
        for (name, value) in self.examination.settings.as_object().into_iter().flatten() {
            let mut spoilt = self.examination.settings.clone();
            spoilt[name] = if value.is_object() { json!(1) } else { json!({"not": "this"}) };
            fields.push((name, spoilt));
        }
        for (field, settings) in fields {
            let Err(error) = integration.check_settings(&settings) else {
                anyhow::bail!("{settings} is taken");
            };
            ensure!(error.to_string().contains(field), "`{field}` is not in: {error}");
        }
        Ok(())
    }

    pub(super) async fn rate_limits(&self) -> Result<()> {
        for first in 1..=self.healthy.requests {
            let run = self.run(Script { fault: Fault::Limited(7), first, times: 1 }).await?;
            self.ensure_same(&run)?;
            ensure!(run.attempts_spent == 0, "it cost an attempt:\n{run}");
            ensure!(run.waits.contains(&Duration::from_secs(7)), "it did not wait 7 s:\n{run}");
        }
        Ok(())
    }

    pub(super) async fn refusals(&self) -> Result<()> {
        for first in 1..=self.healthy.requests {
            let fault = Fault::Status(StatusCode::UNAUTHORIZED);
            let run = self.run(Script { fault, first, times: u64::MAX }).await?;
            ensure!(run.ending == Ending::NeedsReconnect, "it went on:\n{run}");
            let asked = self.front.asked();
            ensure!(asked == first, "it was refused request {first} and sent {asked}:\n{run}");
        }
        Ok(())
    }

    /// What is closed to us may fail, or be passed by; the credential may open everything else.
    pub(super) async fn closed_things(&self) -> Result<()> {
        for first in 1..=self.healthy.requests {
            let fault = Fault::Status(StatusCode::FORBIDDEN);
            let run = self.run(Script { fault, first, times: 1 }).await?;
            ensure!(run.ending != Ending::NeedsReconnect, "it condemned the credential:\n{run}");
        }
        Ok(())
    }

    pub(super) async fn failures(&self) -> Result<()> {
        for first in 1..=self.healthy.requests {
            let fault = Fault::Status(StatusCode::INTERNAL_SERVER_ERROR);
            self.ensure_same(&self.run(Script { fault, first, times: 1 }).await?)?;
        }
        Ok(())
    }

    /// Asked at the first and the last request only, since every silence takes its time.
    pub(super) async fn silence(&self) -> Result<()> {
        let impatient = Options { total_timeout: Duration::from_secs(1), ..Options::default() };
        for first in BTreeSet::from([1, self.healthy.requests]) {
            self.front.play(Some(Script { fault: Fault::Silence, first, times: 1 }));
            let run = rehearsal(&self.examination, &self.front, impatient.clone())?.run().await;
            self.ensure_same(&run)?;
            ensure!(run.attempts_spent > 0, "nothing timed out:\n{run}");
        }
        Ok(())
    }

    pub(super) async fn outages(&self) -> Result<()> {
        for first in 1..=self.healthy.requests {
            let fault = Fault::Status(StatusCode::BAD_GATEWAY);
            let run = self.run(Script { fault, first, times: u64::MAX }).await?;
            let gave_up = matches!(run.ending, Ending::Hole { .. } | Ending::Failed);
            ensure!(gave_up, "it did not give up:\n{run}");
        }
        Ok(())
    }

    pub(super) async fn nonsense(&self) -> Result<()> {
        for nonsense in ["{\"cut\": [1, 2", "\"nonsense\"", "<html>Sorry!</html>"] {
            let fault = Fault::Says(nonsense);
            let run = self.run(Script { fault, first: 1, times: u64::MAX }).await?;
            let gave_up = matches!(run.ending, Ending::Hole { .. } | Ending::Failed);
            ensure!(gave_up, "it took {nonsense}:\n{run}");
            ensure!(records(&run).is_empty(), "it made something of {nonsense}:\n{run}");
        }
        Ok(())
    }

    pub(super) async fn repetition(&self) -> Result<()> {
        let run = self.run(Script { fault: Fault::Repeats, first: 1, times: u64::MAX }).await?;
        ensure!(run.ending != Ending::Endless, "still going after {MOST_STEPS} steps");
        Ok(())
    }

    pub(super) async fn resumption(&self) -> Result<()> {
        self.front.play(None);
        self.ensure_same(&self.rehearsal()?.dying_over_every_page().run().await)
    }

    /// Onboarding again, later and with what was remembered, is the same, but that it may remember
    /// when it was; a check brings nothing else.
    pub(super) async fn second_runs(&self) -> Result<()> {
        self.front.play(None);
        let later = self.rehearsal()?.state(self.healthy.state.clone()).at("2024-06-01T00:00:00Z");
        self.ensure_same_records(&later.run().await)?;
        let check = later.check().run().await;
        ensure!(check.ending == Ending::Processed, "a check with nothing new fails:\n{check}");
        let known = records(&self.healthy);
        let new: Vec<_> = records(&check).into_iter().filter(|new| !known.contains(new)).collect();
        ensure!(new.is_empty(), "a check brings what was not there: {new:#?}");
        Ok(())
    }

    async fn run(&self, script: Script) -> Result<Rehearsed> {
        self.front.play(Some(script));
        Ok(self.rehearsal()?.run().await)
    }

    fn rehearsal(&self) -> Result<Rehearsal> {
        rehearsal(&self.examination, &self.front, Options::default())
    }

    fn ensure_same(&self, run: &Rehearsed) -> Result<()> {
        self.ensure_same_records(run)?;
        let (expected, actual) = (&self.healthy.state, &run.state);
        ensure!(expected == actual, "it remembers {actual:?}, not {expected:?}:\n{run}");
        Ok(())
    }

    fn ensure_same_records(&self, run: &Rehearsed) -> Result<()> {
        ensure!(run.ending == Ending::Processed, "it was not processed:\n{run}");
        let (expected, actual) = (records(&self.healthy), records(run));
        let differ: Vec<_> = expected.symmetric_difference(&actual).collect();
        ensure!(differ.is_empty(), "other records than usual: {differ:#?}\n{run}");
        Ok(())
    }
}

fn rehearsal(examination: &Examination, front: &Front, options: Options) -> Result<Rehearsal> {
    let integration = (examination.build)(front.url(), options).context("building")?;
    let settings = examination.settings.clone();
    let rehearsal = Rehearsal::of_dyn(integration)
        .settings(settings)
        .members(examination.members.clone())
        .most_steps(MOST_STEPS);
    Ok(match &examination.credential {
        Some(credential) => rehearsal.credential(credential.clone()),
        None => rehearsal,
    })
}

/// What would be in the database, as text, each once: upserts make an order and repetitions harmless.
fn records(run: &Rehearsed) -> BTreeSet<String> {
    run.operations.iter().flat_map(lines).collect()
}

fn lines(operation: &Operation) -> Vec<String> {
    match operation {
        Operation::UpsertMembers(members) | Operation::UpdateMembers(members) => {
            members.iter().map(line).collect()
        }
        Operation::UpsertActivities(activities) => activities.iter().map(line).collect(),
        Operation::UpsertOrganizations(organizations) => organizations.iter().map(line).collect(),
    }
}

fn line(record: &impl Serialize) -> String {
    // Text, numbers and maps with text for keys: there is nothing in a record that JSON has not.
    serde_json::to_string(record).expect("a record as JSON")
}
