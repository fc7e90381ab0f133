//! The questions we ask Slack, each of its own method and so under its own limit.

use anyhow::anyhow;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;

use super::Slack;
use super::answers::{
    Conversation, Conversations, Message, Messages, TheConversation, TheUser, User, Users,
    Workspace,
};
use super::paging::{self, Page};
use super::refusal::{Reply, refuses_credential};
use super::settings::{App, Settings, per_minute};
use super::ts::Ts;
use crate::sdk::http::{Options, Request};
use crate::sdk::{
    Access, ApiClient, Integration, Oauth2, Place, Renewed, RequestLimit, Result, Said, SyncError,
};

/// Entries of a list on a page, as Slack recommends.
const PER_PAGE: u32 = 200;

/// "Special": hundreds a minute.
static AUTH_TEST: RequestLimit = per_minute("auth.test", 100);
/// Tier 2.
static CONVERSATIONS_LIST: RequestLimit = per_minute("conversations.list", 20);
static USERS_LIST: RequestLimit = per_minute("users.list", 20);
/// Tier 3.
static CONVERSATIONS_INFO: RequestLimit = per_minute("conversations.info", 50);
/// Tier 4.
static USERS_INFO: RequestLimit = per_minute("users.info", 100);

pub(super) struct Api(ApiClient);

/// The messages of a channel, or of a thread of it.
pub(super) struct OfChannel<'a> {
    pub(super) app: App,
    pub(super) channel: &'a str,
    /// Only what is newer.
    pub(super) oldest: Option<Ts>,
    pub(super) place: Option<&'a Place>,
}

impl Api {
    /// At `https://slack.com/api`.
    pub(super) fn at(url: &str, options: Options) -> anyhow::Result<Self> {
        let options = Options { refuses_credential, ..options };
        Ok(Self(ApiClient::with(Slack::KIND, url, options)?))
    }

    pub(super) async fn workspace(&self, access: &Access) -> Result<Workspace> {
        self.get(&AUTH_TEST).sent(access).await?.demanded()
    }

    pub(super) async fn conversations(
        &self,
        access: &Access,
        settings: &Settings,
        place: Option<&Place>,
    ) -> Result<Page<Conversation>> {
        let question = self
            .get(&CONVERSATIONS_LIST)
            .with("types", settings.channel_types())
            .with("limit", PER_PAGE)
            .at(place);
        let answer = question.sent::<Conversations>(access).await?;
        Ok(answer.demanded()?.into())
    }

    pub(super) async fn conversation(&self, access: &Access, id: &str) -> Result<Conversation> {
        let question = self.get(&CONVERSATIONS_INFO).with("channel", id);
        let answer = question.sent::<TheConversation>(access).await?;
        Ok(answer.demanded()?.channel)
    }

    /// The newest first, without the replies in threads.
    pub(super) async fn history(
        &self,
        access: &Access,
        of: OfChannel<'_>,
    ) -> Result<Page<Message>> {
        let question = self.get(of.app.history()).messages(&of);
        let answer = question.sent::<Messages>(access).await?;
        Ok(answer.demanded()?.into())
    }

    /// The oldest first, and the thread's first message among them or not. `None`: it is gone.
    pub(super) async fn replies(
        &self,
        access: &Access,
        root: Ts,
        of: OfChannel<'_>,
    ) -> Result<Option<Page<Message>>> {
        let question = self.get(of.app.replies()).messages(&of).with("ts", root);
        let answer = question.sent::<Messages>(access).await?;
        Ok(answer.unless_gone()?.map(Page::from))
    }

    pub(super) async fn users(
        &self,
        access: &Access,
        place: Option<&Place>,
        per_page: Option<u32>,
    ) -> Result<Page<User>> {
        let question = self.get(&USERS_LIST).with("limit", per_page.unwrap_or(PER_PAGE)).at(place);
        let answer = question.sent::<Users>(access).await?;
        Ok(answer.demanded()?.into())
    }

    /// `None`: nobody, or nobody we may see.
    pub(super) async fn user(&self, access: &Access, id: &str) -> Result<Option<User>> {
        let question = self.get(&USERS_INFO).with("user", id);
        let answer = question.sent::<TheUser>(access).await?;
        Ok(answer.unless_gone()?.map(|answer| answer.user))
    }

    pub(super) async fn renewed(&self, granted: &Oauth2) -> Result<Renewed> {
        const METHOD: &str = "oauth.v2.access";
        let missing = |what| SyncError::Unauthorized(anyhow!("the credential has no {what}"));
        let refresh = granted.refresh_token.as_ref().ok_or_else(|| missing("refresh token"))?;
        let secret = granted.client_secret.as_ref().ok_or_else(|| missing("client secret"))?;
        let form = self.0.post(METHOD).form(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose_secret()),
            ("client_id", &granted.client_id),
            ("client_secret", secret.expose_secret()),
        ]);
        match form.json::<Reply<Renewed>>().await?.body {
            Reply::Said(renewed) => Ok(renewed),
            Reply::Refused(refusal) => Err(refusal.of_renewal(METHOD)),
        }
    }

    fn get<'a>(&'a self, limit: &'a RequestLimit) -> Question<'a> {
        Question { request: self.0.get(&limit.class), limit }
    }
}

/// A request that is being put together; the limit's class is the method's name.
struct Question<'a> {
    request: Request<'a>,
    limit: &'a RequestLimit,
}

impl<'a> Question<'a> {
    fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.request = self.request.query(name, value);
        self
    }

    fn at(mut self, place: Option<&Place>) -> Self {
        self.request = self.request.query_opt("cursor", paging::cursor(place));
        self
    }

    fn messages(mut self, of: &OfChannel<'_>) -> Self {
        self.request = self.request.query_opt("oldest", of.oldest);
        self.with("channel", of.channel).with("limit", of.app.messages_per_page()).at(of.place)
    }

    async fn sent<T: DeserializeOwned>(self, access: &Access) -> Result<Heard<'a, T>> {
        let answer = self.request.by(access).under(self.limit).json::<Reply<T>>().await?;
        if let Reply::Refused(refusal) = &answer.body
            && refusal.is_limit()
        {
            return Err(limited(answer.rate_limited(), self.limit, access).await);
        }
        Ok(Heard { reply: answer.body, method: &self.limit.class })
    }
}

/// Said under status 200, where nobody else reads it.
async fn limited(refused: SyncError, limit: &RequestLimit, access: &Access) -> SyncError {
    if let SyncError::RateLimited { retry_after } = refused {
        access.heed(limit, Said { refused_for: Some(retry_after), ..Said::default() }).await;
    }
    refused
}

/// An answer, and what is needed to say why it is none.
struct Heard<'a, T> {
    reply: Reply<T>,
    method: &'a str,
}

impl<T> Heard<'_, T> {
    fn demanded(self) -> Result<T> {
        match self.reply {
            Reply::Said(answer) => Ok(answer),
            Reply::Refused(refusal) => Err(refusal.into_error(self.method)),
        }
    }

    fn unless_gone(self) -> Result<Option<T>> {
        match &self.reply {
            Reply::Refused(refusal) if refusal.is_gone() => Ok(None),
            _ => self.demanded().map(Some),
        }
    }
}
