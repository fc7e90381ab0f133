//! The integration of the test's platform: nothing to read, but a credential to renew.

use anyhow::anyhow;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use shared::clock::Clock;
use shared::sdk::http::{Options, Refused};
use shared::sdk::{
    Access, ApiClient, CheckSchedule, Connection, Credential, CredentialType, Integration, Owner,
    Renewed, Result, Run, StreamOutput, SyncError,
};

use crate::platform::Platform;

pub(crate) struct Guild {
    api: ApiClient,
    clock: Clock,
}

#[derive(Deserialize)]
pub(crate) struct Settings {}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stream")]
pub(crate) enum Stream {}

#[derive(Deserialize)]
struct Whoami {
    id: String,
    name: String,
}

impl Guild {
    pub(crate) fn at(platform: &Platform, clock: &Clock) -> Self {
        Self { api: client(platform, clock), clock: clock.clone() }
    }
}

pub(crate) fn client(platform: &Platform, clock: &Clock) -> ApiClient {
    let options = Options { clock: clock.clone(), ..Options::default() };
    ApiClient::with("guild", platform.url(), options).unwrap()
}

/// What every use of a credential is: one request.
pub(crate) async fn whoami(api: &ApiClient, access: &Access) -> Result<Owner> {
    let answer = api.get("/whoami").by(access).json::<Whoami>().await?.body;
    Ok(Owner { id: answer.id, name: answer.name })
}

impl Integration for Guild {
    const KIND: &'static str = "guild";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTick;
    const CREDENTIALS: &'static [CredentialType] =
        &[CredentialType::Oauth2, CredentialType::Secret];
    type Settings = Settings;
    type State = ();
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(Vec::new())
    }

    async fn process_stream(&self, stream: &Stream, _: &Run<Self>) -> Result<StreamOutput<Stream>> {
        match *stream {}
    }

    async fn identify(&self, access: &Access) -> Result<Owner> {
        whoami(&self.api, access).await
    }

    async fn renew(&self, credential: &Credential) -> Result<Credential> {
        let Credential::Oauth2(granted) = credential else { panic!("not renewable") };
        let refresh_token = granted.refresh_token.as_ref().expect("only then it is renewable");
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
        let asked_at = self.clock.now();
        let request = self.api.post("/token").form(&form);
        let renewed = request.json::<Renewed>().await.map_err(refused)?.body;
        Ok(Credential::Oauth2(granted.renewed(renewed, asked_at)))
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
