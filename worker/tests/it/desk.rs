//! An integration that is let in by a credential, and its platform: a list of pages behind a token
//! that can be renewed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::sdk::http::Refused;
use shared::sdk::{
    Access, ApiClient, CheckSchedule, Connection, Credential, CredentialType, ExternalSyncUnit,
    Integration, Oauth2, Operation, Owner, Result, Run, RunSummary, StreamOutput, SyncError,
};
use tokio::sync::watch;
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::toy::comment;

/// What every secret of this platform begins with: a word that nobody else says.
pub(crate) const HIDDEN: &str = "quillwort-";

pub(crate) struct Desk {
    server: MockServer,
    grant: Arc<Mutex<Grant>>,
    /// Pages that were asked for; for tests that wait.
    asked: watch::Sender<usize>,
    /// What the platform answered to a page is passed on while this is true.
    open: watch::Sender<bool>,
}

struct Grant {
    generation: usize,
    /// Whether a token lets in, besides being the newest.
    lets_in: bool,
    /// Whether a refresh token is taken.
    renews: bool,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let server = MockServer::start().await;
        let grant = Grant { generation: 0, lets_in: true, renews: true };
        let desk = Self {
            server,
            grant: Arc::new(Mutex::new(grant)),
            asked: watch::Sender::new(0),
            open: watch::Sender::new(true),
        };
        let grant = Arc::clone(&desk.grant);
        let page = move |request: &Request| grant.lock().unwrap().page(request);
        Mock::given(path_regex("^/(pages/.*|whoami)$"))
            .respond_with(page)
            .mount(&desk.server)
            .await;
        let grant = Arc::clone(&desk.grant);
        let refresh = move |request: &Request| grant.lock().unwrap().refresh(request);
        let at_token = Mock::given(method("POST")).and(path("/token"));
        at_token.respond_with(refresh).mount(&desk.server).await;
        desk
    }

    pub(crate) fn integration(&self) -> DeskIntegration {
        DeskIntegration {
            api: ApiClient::new("desk", self.server.uri()).unwrap(),
            asked: self.asked.clone(),
            open: self.open.clone(),
        }
    }

    /// What a person was given at the beginning, or by then.
    pub(crate) fn granted(&self) -> Value {
        let Grant { generation, .. } = *self.grant.lock().unwrap();
        json!({
            "type": "oauth2", "client_id": "millrace", "client_secret": format!("{HIDDEN}client"),
            "access_token": access_token(generation), "refresh_token": refresh_token(generation),
        })
    }

    /// The access token has ended; the refresh token has not.
    pub(crate) fn end_token(&self) {
        self.grant.lock().unwrap().lets_in = false;
    }

    /// A person takes the grant back.
    pub(crate) fn revoke(&self) {
        let mut grant = self.grant.lock().unwrap();
        (grant.lets_in, grant.renews) = (false, false);
    }

    /// From now on this page is closed to us, as the platform says in a loose tongue.
    pub(crate) async fn close(&self, page: u32) {
        let closed = |request: &Request| {
            let message = format!("Missing Access by {}", authorization(request));
            ResponseTemplate::new(403).set_body_json(json!({ "message": message, "code": 50001 }))
        };
        let page = Mock::given(path(format!("/pages/{page}"))).respond_with(closed);
        page.with_priority(1).mount(&self.server).await;
    }

    /// A person grants access anew.
    pub(crate) fn grant_anew(&self) {
        let mut grant = self.grant.lock().unwrap();
        *grant = Grant { generation: grant.generation + 1, lets_in: true, renews: true };
    }

    /// From now on answers are kept back.
    pub(crate) fn hold(&self, hold: bool) {
        self.open.send_replace(!hold);
    }

    pub(crate) async fn until_asked(&self, pages: usize) {
        self.asked.subscribe().wait_for(|asked| *asked >= pages).await.unwrap();
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// What was sent to the platform: where, and with which secrets.
    pub(crate) async fn received(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap();
        let text = |request: &Request| {
            let body = String::from_utf8_lossy(&request.body);
            format!("{} {} {body}", request.url.path(), authorization(request))
        };
        requests.iter().map(text).collect()
    }
}

impl Grant {
    fn page(&self, request: &Request) -> ResponseTemplate {
        let expected = format!("Bearer {}", access_token(self.generation));
        let authorization = authorization(request);
        if !self.lets_in || authorization != expected {
            let said = json!({ "error": "invalid_token", "error_description": authorization });
            return ResponseTemplate::new(401).set_body_json(said);
        }
        ResponseTemplate::new(200).set_body_json(json!({ "id": "T1", "name": "Acme" }))
    }

    fn refresh(&mut self, request: &Request) -> ResponseTemplate {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if !self.renews || !body.contains(&refresh_token(self.generation)) {
            return ResponseTemplate::new(400).set_body_json(json!({ "error": "invalid_grant" }));
        }
        self.generation += 1;
        self.lets_in = true;
        ResponseTemplate::new(200).set_body_json(json!({
            "access_token": access_token(self.generation),
            "refresh_token": refresh_token(self.generation),
        }))
    }
}

fn authorization(request: &Request) -> &str {
    request.headers.get("authorization").map_or("", |value| value.to_str().unwrap())
}

fn access_token(generation: usize) -> String {
    format!("{HIDDEN}access-{generation}")
}

fn refresh_token(generation: usize) -> String {
    format!("{HIDDEN}refresh-{generation}")
}

pub(crate) struct DeskIntegration {
    api: ApiClient,
    asked: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    runs: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub(crate) enum Stream {
    Page { page: u32 },
}

#[derive(Deserialize)]
struct Whoami {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Pair {
    access_token: SecretString,
    refresh_token: SecretString,
}

impl Integration for DeskIntegration {
    const KIND: &'static str = "desk";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTick;
    const CREDENTIALS: &'static [CredentialType] = &[CredentialType::Oauth2];
    type Settings = Settings;
    type State = State;
    type Prepared = ();
    type Stream = Stream;

    /// The one desk there is.
    async fn discover(&self, connection: &Connection<Self>) -> Result<Vec<ExternalSyncUnit>> {
        let whoami = self.api.get("whoami").by(&connection.access).json::<Whoami>().await?.body;
        let Whoami { id, name } = whoami;
        Ok(vec![ExternalSyncUnit { id, name, description: None, item_count: None }])
    }

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(vec![Stream::Page { page: 1 }])
    }

    async fn process_stream(
        &self,
        Stream::Page { page }: &Stream,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let request = self.api.get("/pages").segment(&page.to_string());
        let answer = request.by(&run.connection.access).json::<Whoami>().await;
        self.asked.send_modify(|asked| *asked += 1);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        answer?;
        let at: DateTime<Utc> = DateTime::UNIX_EPOCH + Duration::from_secs(60);
        let comments = vec![comment(&format!("page-{page}"), "ada", at)];
        Ok(StreamOutput {
            operations: vec![Operation::UpsertActivities(comments)],
            next_page: (*page < 3).then_some(Stream::Page { page: page + 1 }),
            ..StreamOutput::empty()
        })
    }

    async fn postprocess(&self, run: &Run<Self>, _: &RunSummary<Stream>) -> Result<Option<State>> {
        Ok(Some(State { runs: run.connection.state.runs + 1 }))
    }

    async fn verify(&self, connection: &Connection<Self>) -> Result<()> {
        self.identify(&connection.access).await.map(drop)
    }

    async fn identify(&self, access: &Access) -> Result<Owner> {
        let Whoami { id, name } = self.api.get("/whoami").by(access).json().await?.body;
        Ok(Owner { id, name })
    }

    async fn renew(&self, credential: &Credential) -> Result<Credential> {
        let Credential::Oauth2(granted) = credential else { panic!("not renewable") };
        let refresh_token = granted.refresh_token.as_ref().expect("only then it is renewable");
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
        let pair = self.api.post("/token").form(&form).json::<Pair>().await.map_err(refused)?.body;
        Ok(Credential::Oauth2(Oauth2 {
            access_token: pair.access_token,
            refresh_token: Some(pair.refresh_token),
            ..granted.clone()
        }))
    }
}

fn refused(error: SyncError) -> SyncError {
    match error {
        SyncError::Permanent(why) if why.is::<Refused>() => {
            SyncError::Unauthorized(anyhow!("invalid_grant"))
        }
        other => other,
    }
}
