//! The endpoints, each one look at the community.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::Rules;
use super::answers::{ArticleAnswer, OrganizationAnswer, Threads, UserAnswer};
use super::community::Community;
use super::paging::Paging;
use super::records::{Article, ArticleId, Organization, User, UserId};

use crate::platform::SiteState;

type TheSite = State<SiteState<Rules>>;

pub(super) fn routes() -> Router<SiteState<Rules>> {
    Router::new()
        .route("/api/organizations/{name}", get(organization))
        .route("/api/organizations/{name}/articles", get(articles_of_organization))
        .route("/api/articles", get(articles))
        .route("/api/comments", get(comments))
        .route("/api/users/by_username", get(user_by_name))
        .route("/api/users/{id}", get(user_by_id))
        .fallback(async || not_found())
}

async fn organization(State(site): TheSite, Path(name): Path<String>) -> Response {
    site.look(|community| {
        let organization = find_organization(community, &name);
        found(organization.map(OrganizationAnswer::of))
    })
}

async fn articles_of_organization(
    State(site): TheSite,
    Path(name): Path<String>,
    Query(paging): Query<Paging>,
) -> Response {
    site.look(|community| {
        let Some(organization) = find_organization(community, &name) else {
            return not_found();
        };
        page_of_articles(community, &paging, |article| {
            article.organization == Some(organization.id)
        })
    })
}

#[derive(Deserialize)]
struct Owner {
    username: Option<String>,
}

/// Everybody's articles, a user's, or those of an organization of that name. Nobody of that name
/// has no articles, which the site does not consider an error.
async fn articles(
    State(site): TheSite,
    Query(owner): Query<Owner>,
    Query(paging): Query<Paging>,
) -> Response {
    site.look(|community| {
        let Some(name) = owner.username else {
            return page_of_articles(community, &paging, |_| true);
        };
        if let Some(user) = find_user(community, &name) {
            return page_of_articles(community, &paging, |article| article.author == user.id);
        }
        let organization = find_organization(community, &name).map(|organization| organization.id);
        page_of_articles(community, &paging, |article| {
            organization.is_some() && article.organization == organization
        })
    })
}

/// Newest first.
fn page_of_articles(
    community: &Community,
    paging: &Paging,
    wanted: impl Fn(&&Article) -> bool,
) -> Response {
    let articles = community.articles().rev().filter(wanted);
    let page = articles.skip(paging.skipped()).take(paging.per_page());
    json(&page.map(|article| ArticleAnswer::of(article, community)).collect::<Vec<_>>())
}

#[derive(Deserialize)]
struct Subject {
    a_id: Option<String>,
}

/// The whole tree at once, unless a page of it is asked for: then so many threads.
async fn comments(
    State(site): TheSite,
    Query(subject): Query<Subject>,
    Query(paging): Query<Paging>,
) -> Response {
    site.look(|community| {
        let id = subject.a_id.and_then(|id| id.parse().ok()).map(ArticleId);
        let article = id.and_then(|id| community.find_article(id));
        found(article.map(|article| {
            let comments = paging.of_threads(&article.threads);
            Threads { comments, community }
        }))
    })
}

async fn user_by_id(State(site): TheSite, Path(id): Path<String>) -> Response {
    site.look(|community| {
        let user = id.parse().ok().and_then(|id| community.find_user(UserId(id)));
        profile(user)
    })
}

#[derive(Deserialize)]
struct ByUsername {
    url: Option<String>,
}

async fn user_by_name(State(site): TheSite, Query(by): Query<ByUsername>) -> Response {
    site.look(|community| profile(by.url.and_then(|name| find_user(community, &name))))
}

fn profile(user: Option<&User>) -> Response {
    found(user.filter(|user| user.has_profile).map(UserAnswer::of))
}

fn find_user<'a>(community: &'a Community, username: &str) -> Option<&'a User> {
    community.users().find(|user| user.username == username)
}

/// By its number, too: the second version of the site's API takes either.
fn find_organization<'a>(community: &'a Community, name: &str) -> Option<&'a Organization> {
    community
        .organizations()
        .find(|organization| organization.username == name || Ok(organization.id.0) == name.parse())
}

fn found(answer: Option<impl Serialize>) -> Response {
    answer.map_or_else(not_found, |answer| json(&answer))
}

fn json(answer: &impl Serialize) -> Response {
    let body = serde_json::to_vec(answer).expect("the answers have only text for keys");
    json_answer(Body::from(body))
}

pub(super) fn json_answer(body: Body) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

fn not_found() -> Response {
    error(StatusCode::NOT_FOUND)
}

/// An error as the site words it: `{"error":"not found","status":404}`.
pub(super) fn error(status: StatusCode) -> Response {
    #[derive(Serialize)]
    struct Error {
        error: String,
        status: u16,
    }
    let error = status.canonical_reason().unwrap_or("error").to_lowercase();
    (status, json(&Error { error, status: status.as_u16() })).into_response()
}
