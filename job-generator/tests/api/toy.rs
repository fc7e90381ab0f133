//! A small integration, whose platform does as it is told.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use shared::sdk::{
    Access, AttributeType, CheckSchedule, Connection, CredentialType, Integration, MemberAttribute,
    Owner, RecordLimit, Result, Run, StreamOutput, SyncError,
};
use tokio::sync::{Semaphore, mpsc};

/// Connects to a [`Platform`].
pub(crate) struct Forum(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only decoded and verified")]
pub(crate) struct Settings {
    organization: String,
    #[serde(default)]
    feeds: Vec<Feed>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only decoded")]
struct Feed {
    url: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub(crate) enum Stream {
    Articles { page: u32 },
}

/// What a platform does when it is asked whether settings can work.
pub(crate) struct Platform {
    mood: Mutex<Mood>,
    /// Told each time somebody asks.
    asked: mpsc::UnboundedSender<String>,
    /// What a hesitating platform waits for.
    pub(crate) permits: Semaphore,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    Content,
    NotThere,
    Unauthorized,
    RateLimited,
    Broken,
    /// Answers when it is given a permit.
    Hesitant,
    /// Never answers.
    Silent,
    Panicking,
}

impl Platform {
    /// With the end where one hears that it was asked, and for which organization.
    pub(crate) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<String>) {
        let (asked, heard) = mpsc::unbounded_channel();
        let mood = Mutex::new(Mood::Content);
        (Arc::new(Self { mood, asked, permits: Semaphore::new(0) }), heard)
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.mood.lock().expect("no panic while locked") = mood;
    }

    async fn answer(&self, organization: &str) -> Result<()> {
        let mood = *self.mood.lock().expect("no panic while locked");
        self.asked.send(organization.to_owned()).expect("the test listens");
        match mood {
            Mood::Content => Ok(()),
            Mood::NotThere => {
                Err(SyncError::Permanent(anyhow!("there is no organization `{organization}`")))
            }
            Mood::Unauthorized => {
                Err(SyncError::Unauthorized(anyhow!("the key was answered by 401")))
            }
            Mood::RateLimited => {
                Err(SyncError::RateLimited { retry_after: Duration::from_secs(90) })
            }
            Mood::Broken => Err(SyncError::Other(anyhow!("GET /organizations: answered 503"))),
            Mood::Hesitant => {
                self.permits.acquire().await.expect("never closed").forget();
                Ok(())
            }
            Mood::Silent => pending().await,
            Mood::Panicking => panic!("index 7 of secret-table"),
        }
    }
}

impl Integration for Forum {
    const KIND: &'static str = "forum";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTicks(20);
    const LIMIT: Option<RecordLimit> =
        Some(RecordLimit { records: 100, per: Duration::from_secs(3600), onboarding_factor: 0.5 });
    type Settings = Settings;
    type State = ();
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(vec![Stream::Articles { page: 1 }])
    }

    async fn process_stream(&self, _: &Stream, _: &Run<Self>) -> Result<StreamOutput<Stream>> {
        Ok(StreamOutput::empty())
    }

    fn member_attributes(&self) -> Vec<MemberAttribute> {
        let (kind, label) = (AttributeType::Url, "Homepage");
        vec![MemberAttribute { name: "homepage", kind, label, hidden: false }]
    }

    async fn verify(&self, connection: &Connection<Self>) -> Result<()> {
        self.0.answer(&connection.settings.organization).await
    }
}

/// The same platform behind a door. There is `club`, its `club_archive` that wants another type of
/// credential, and `pub`, which is a platform of its own.
pub(crate) struct Club<const DOOR: usize>(pub(crate) Arc<Platform>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoSettings {}

impl<const DOOR: usize> Integration for Club<DOOR> {
    const KIND: &'static str = ["club", "club_archive", "pub"][DOOR];
    const PLATFORM: &'static str = ["club", "club", "pub"][DOOR];
    const CHECKS: CheckSchedule = CheckSchedule::EveryTick;
    const CREDENTIALS: &'static [CredentialType] =
        if DOOR == 1 { &[CredentialType::Fields] } else { &[CredentialType::Secret] };
    type Settings = NoSettings;
    type State = ();
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(Vec::new())
    }

    async fn process_stream(&self, _: &Stream, _: &Run<Self>) -> Result<StreamOutput<Stream>> {
        Ok(StreamOutput::empty())
    }

    async fn identify(&self, access: &Access) -> Result<Owner> {
        access.credential().await?;
        self.0.answer("whose is it?").await?;
        Ok(Owner { id: "C1".into(), name: "The Club".into() })
    }
}
