//! What stands before the fake of a platform during an examination, and spoils its answers.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER, TRANSFER_ENCODING};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use reqwest::redirect::Policy;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::sdk::http::install_tls;

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Status(StatusCode),
    /// 429 with a `Retry-After` of so many seconds.
    Limited(u64),
    /// Taken, and never answered.
    Silence,
    /// 200 with this text, called JSON.
    Says(&'static str),
    /// Whatever is asked of a path, the first answer it ever gave.
    Repeats,
}

/// Which requests it becomes of: so many from the n-th on, counted from one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Script {
    pub(super) fault: Fault,
    pub(super) first: u64,
    pub(super) times: u64,
}

/// Serves on a free port until dropped.
pub(super) struct Front {
    url: String,
    stage: Arc<Stage>,
    server: JoinHandle<()>,
}

struct Stage {
    ours: String,
    fake: String,
    http: reqwest::Client,
    play: Mutex<Play>,
}

#[derive(Default)]
struct Play {
    script: Option<Script>,
    asked: u64,
    first_answers: HashMap<String, Answer>,
}

type Answer = (StatusCode, HeaderMap, Bytes);

impl Front {
    pub(super) async fn before(fake: &str) -> anyhow::Result<Self> {
        install_tls();
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let stage = Arc::new(Stage {
            ours: url.clone(),
            fake: fake.trim_end_matches('/').to_owned(),
            http,
            play: Mutex::default(),
        });
        let app = Router::new().fallback(receive).with_state(Arc::clone(&stage));
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.ok();
        });
        Ok(Self { url, stage, server })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Begins anew: from here on requests are counted from one.
    pub(super) fn play(&self, script: Option<Script>) {
        *self.stage.play() = Play { script, ..Play::default() };
    }

    pub(super) fn asked(&self) -> u64 {
        self.stage.play().asked
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(State(stage): State<Arc<Stage>>, request: Request) -> Response {
    let Some(fault) = stage.next_fault() else {
        return stage.pass_on(request).await.into_response();
    };
    match fault {
        Fault::Status(status) => status.into_response(),
        Fault::Limited(seconds) => {
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)]).into_response()
        }
        Fault::Silence => std::future::pending().await,
        Fault::Says(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Fault::Repeats => stage.repeat(request).await.into_response(),
    }
}

impl Stage {
    fn play(&self) -> MutexGuard<'_, Play> {
        self.play.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_fault(&self) -> Option<Fault> {
        let mut play = self.play();
        play.asked += 1;
        let asked = play.asked;
        let script = play.script?;
        let last = script.first.saturating_add(script.times);
        (script.first..last).contains(&asked).then_some(script.fault)
    }

    async fn repeat(&self, request: Request) -> Answer {
        let path = request.uri().path().to_owned();
        let known = self.play().first_answers.get(&path).cloned();
        match known {
            Some(answer) => answer,
            None => {
                let answer = self.pass_on(request).await;
                self.play().first_answers.insert(path, answer.clone());
                answer
            }
        }
    }

    async fn pass_on(&self, request: Request) -> Answer {
        self.ask(request).await.unwrap_or_else(|error| {
            let said = format!("the fake platform does not answer: {error:#}");
            (StatusCode::BAD_GATEWAY, HeaderMap::new(), said.into())
        })
    }

    async fn ask(&self, request: Request) -> anyhow::Result<Answer> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = format!("{}{path}", self.fake);
        parts.headers.remove(HOST);
        let body = to_bytes(body, usize::MAX).await.context("reading the request")?;
        let request = self.http.request(parts.method, url).headers(parts.headers).body(body);
        let answer = request.send().await?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        headers.remove(CONTENT_LENGTH);
        headers.remove(TRANSFER_ENCODING);
        Ok((status, headers, self.as_ours(answer.bytes().await?)))
    }

    /// A next-page link of the fake's would lead past us.
    fn as_ours(&self, body: Bytes) -> Bytes {
        match str::from_utf8(&body) {
            Ok(text) if text.contains(&self.fake) => text.replace(&self.fake, &self.ours).into(),
            _ => body,
        }
    }
}
