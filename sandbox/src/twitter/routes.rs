//! The endpoints, each one look at the community.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::answers;
use super::community::Community;
use super::front::answer;
use super::limits::Class;
use super::parameters::{Paging, Parameters, token_of};
use super::problems::{self, Problem};
use super::records::{Post, PostId, Standing, User, UserId};
use super::site::Site;
use super::token;

type Asked = Query<HashMap<String, String>>;

const READ_USERS: &[&str] = &["tweet.read", "users.read"];
const READ_FOLLOWS: &[&str] = &["tweet.read", "users.read", "follows.read"];

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/2/oauth2/token", post(token::give))
        .route("/2/users/me", get(me))
        .route("/2/users/by", get(users_by))
        .route("/2/users/{id}/followers", get(followers))
        .route("/2/users/{id}/mentions", get(mentions))
        .route("/2/tweets/search/recent", get(recent_search))
        .fallback(async || Problem::of(StatusCode::NOT_FOUND).into_response())
}

async fn me(State(site): State<Arc<Site>>, headers: HeaderMap, Query(asked): Asked) -> Response {
    let asked = Parameters(asked);
    answer(&site, &headers, Class::Me, READ_USERS, |community, bearer| {
        let user = community.user(bearer.user);
        Ok(json!({"data": answers::user(user, &asked.user_fields()?)}))
    })
}

async fn users_by(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(asked): Asked,
) -> Response {
    let asked = Parameters(asked);
    answer(&site, &headers, Class::UsersBy, READ_USERS, |community, _| {
        let names: Vec<_> = asked.text("usernames").unwrap_or_default().split(',').collect();
        if names.len() > 100 {
            let said = format!("size must be between 1 and 100: {}", names.len());
            return Err(Problem::invalid("usernames", "", &said));
        }
        names.iter().try_for_each(|name| check_name(name))?;
        let fields = asked.user_fields()?;
        let mut parts: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for name in names {
            let (part, entry) = match community.user_named(name) {
                Some(user) if user.is_visible() => ("data", answers::user(user, &fields)),
                Some(User { standing: Standing::Suspended, .. }) => {
                    ("errors", problems::suspended("usernames", name))
                }
                _ => ("errors", problems::not_found("usernames", name)),
            };
            parts.entry(part).or_default().push(entry);
        }
        Ok(json!(parts))
    })
}

fn check_name(name: &str) -> Result<(), Problem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if (1..=15).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    let said = format!(
        "The `usernames` query parameter value [{name}] does not match ^[A-Za-z0-9_]{{1,15}}$"
    );
    Err(Problem::invalid("usernames", name, &said))
}

async fn followers(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(asked): Asked,
) -> Response {
    let asked = Parameters(asked);
    answer(&site, &headers, Class::Followers, READ_FOLLOWS, |community, _| {
        let Paging { after, most } = asked.paging("pagination_token", 1, 100, 1000)?;
        let Some(followed) = find(community, &id) else { return Ok(nobody(&id)) };
        let mut follows = community
            .follows_of(followed)
            .filter(|(number, _)| after.is_none_or(|after| *number < after));
        let page: Vec<_> = follows.by_ref().take(most).collect();
        let mut meta = json!({"result_count": page.len()});
        if let (Some((last, _)), Some(_)) = (page.last(), follows.next()) {
            meta["next_token"] = json!(token_of(*last));
        }
        let fields = asked.user_fields()?;
        let users = page.iter().map(|(_, user)| answers::user(user, &fields)).collect();
        Ok(answers::page(users, Map::new(), meta))
    })
}

async fn mentions(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(asked): Asked,
) -> Response {
    let asked = Parameters(asked);
    answer(&site, &headers, Class::Mentions, READ_USERS, |community, _| {
        let paging = asked.paging("pagination_token", 5, 10, 100)?;
        let since = asked.since()?;
        let Some(mentioned) = find(community, &id) else { return Ok(nobody(&id)) };
        page_of(community.mentioning(mentioned), since, paging, community, &asked)
    })
}

async fn recent_search(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(asked): Asked,
) -> Response {
    let asked = Parameters(asked);
    answer(&site, &headers, Class::RecentSearch, READ_USERS, |community, _| {
        let paging = asked.paging("next_token", 10, 10, 100)?;
        let since = asked.recent_since(community.now())?;
        let query = asked.text("query").unwrap_or_default();
        let tag = query.strip_prefix('#').filter(|tag| !tag.contains(char::is_whitespace));
        let Some(tag) = tag else {
            return Err(Problem::invalid("query", query, "The simulated X knows hashtags only"));
        };
        page_of(community.tagged(tag), since, paging, community, &asked)
    })
}

fn page_of(
    posts: Vec<&Post>,
    since: Option<PostId>,
    Paging { after, most }: Paging,
    community: &Community,
    asked: &Parameters,
) -> Result<Value, Problem> {
    let mut wanted = posts
        .into_iter()
        .filter(|post| since.is_none_or(|since| post.id >= since))
        .filter(|post| after.is_none_or(|after| post.id.0 < after));
    let page: Vec<_> = wanted.by_ref().take(most).collect();
    answers::posts(&page, wanted.next().is_some(), community, asked)
}

fn find(community: &Community, id: &str) -> Option<UserId> {
    let id = UserId(id.parse().ok()?);
    community.users.get(&id).filter(|user| user.is_visible()).map(|user| user.id)
}

fn nobody(id: &str) -> Value {
    json!({"errors": [problems::not_found("id", id)]})
}
