//! The endpoints, each one look at the community.

use std::collections::{BTreeMap, HashMap};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use serde_json::{Map, Value, json};

use super::community::Community;
use super::limits::Class;
use super::oauth::Bearer;
use super::parameters::{Paging, Parameters, token_of};
use super::problems::{self, Problem};
use super::records::{Post, PostId, Standing, User, UserId};
use super::{Rules, answers, front, token};
use crate::platform::SiteState;

const READ_USERS: &[&str] = &["tweet.read", "users.read"];
const READ_FOLLOWS: &[&str] = &["tweet.read", "users.read", "follows.read"];

pub(super) fn routes() -> Router<SiteState<Rules>> {
    Router::new()
        .route("/2/oauth2/token", post(token::give))
        .route("/2/users/me", endpoint(Class::Me, READ_USERS, me))
        .route("/2/users/by", endpoint(Class::UsersBy, READ_USERS, users_by))
        .route("/2/users/{id}/followers", endpoint(Class::Followers, READ_FOLLOWS, followers))
        .route("/2/users/{id}/mentions", endpoint(Class::Mentions, READ_USERS, mentions))
        .route("/2/tweets/search/recent", endpoint(Class::RecentSearch, READ_USERS, recent_search))
        .fallback(async || Problem::of(StatusCode::NOT_FOUND).into_response())
}

type Answer = Result<Value, Problem>;

/// What was asked, by whom, and of whom.
struct Asked<'a> {
    community: &'a Community,
    bearer: &'a Bearer,
    /// That in the path.
    id: &'a str,
    parameters: &'a Parameters,
}

fn endpoint(
    class: Class,
    scopes: &'static [&'static str],
    answer: fn(&Asked<'_>) -> Answer,
) -> MethodRouter<SiteState<Rules>> {
    get(
        async move |State(site): State<SiteState<Rules>>,
                    headers: HeaderMap,
                    Path(ids): Path<Vec<String>>,
                    Query(parameters): Query<HashMap<String, String>>| {
            let (id, parameters) = (ids.first().map_or("", |id| id), &Parameters(parameters));
            front::answer(&site, &headers, class, scopes, |community, bearer| {
                answer(&Asked { community, bearer, id, parameters })
            })
        },
    )
}

fn me(asked: &Asked<'_>) -> Answer {
    let user = asked.community.user(asked.bearer.user);
    Ok(json!({"data": answers::user(user, &asked.parameters.user_fields()?)}))
}

fn users_by(asked: &Asked<'_>) -> Answer {
    let names: Vec<_> = asked.parameters.text("usernames").unwrap_or_default().split(',').collect();
    if names.len() > 100 {
        let said = format!("size must be between 1 and 100: {}", names.len());
        return Err(Problem::invalid("usernames", "", &said));
    }
    names.iter().try_for_each(|name| check_name(name))?;
    let fields = asked.parameters.user_fields()?;
    let mut parts: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for name in names {
        let (part, entry) = match asked.community.user_named(name) {
            Some(user) if user.is_visible() => ("data", answers::user(user, &fields)),
            Some(User { standing: Standing::Suspended, .. }) => {
                ("errors", problems::suspended("usernames", name))
            }
            _ => ("errors", problems::not_found("usernames", name)),
        };
        parts.entry(part).or_default().push(entry);
    }
    Ok(json!(parts))
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

fn followers(asked: &Asked<'_>) -> Answer {
    let Paging { after, most } = asked.parameters.paging("pagination_token", 1, 100, 1000)?;
    let Some(followed) = asked.user() else { return Ok(asked.nobody()) };
    let mut follows = asked
        .community
        .follows_of(followed)
        .filter(|(number, _)| after.is_none_or(|after| *number < after));
    let page: Vec<_> = follows.by_ref().take(most).collect();
    let mut meta = json!({"result_count": page.len()});
    if let (Some((last, _)), Some(_)) = (page.last(), follows.next()) {
        meta["next_token"] = json!(token_of(*last));
    }
    let fields = asked.parameters.user_fields()?;
    let users = page.iter().map(|(_, user)| answers::user(user, &fields)).collect();
    Ok(answers::page(users, Map::new(), meta))
}

fn mentions(asked: &Asked<'_>) -> Answer {
    let paging = asked.parameters.paging("pagination_token", 5, 10, 100)?;
    let since = asked.parameters.since()?;
    let Some(mentioned) = asked.user() else { return Ok(asked.nobody()) };
    page_of(asked.community.mentioning(mentioned), since, paging, asked)
}

fn recent_search(asked: &Asked<'_>) -> Answer {
    let paging = asked.parameters.paging("next_token", 10, 10, 100)?;
    let since = asked.parameters.recent_since(asked.community.now())?;
    let query = asked.parameters.text("query").unwrap_or_default();
    let tag = query.strip_prefix('#').filter(|tag| !tag.contains(char::is_whitespace));
    let Some(tag) = tag else {
        return Err(Problem::invalid("query", query, "The simulated X knows hashtags only"));
    };
    page_of(asked.community.tagged(tag), since, paging, asked)
}

fn page_of(
    posts: Vec<&Post>,
    since: Option<PostId>,
    Paging { after, most }: Paging,
    asked: &Asked<'_>,
) -> Answer {
    let mut wanted = posts
        .into_iter()
        .filter(|post| since.is_none_or(|since| post.id >= since))
        .filter(|post| after.is_none_or(|after| post.id.0 < after));
    let page: Vec<_> = wanted.by_ref().take(most).collect();
    answers::posts(&page, wanted.next().is_some(), asked.community, asked.parameters)
}

impl Asked<'_> {
    fn user(&self) -> Option<UserId> {
        let id = UserId(self.id.parse().ok()?);
        self.community.users.get(&id).filter(|user| user.is_visible()).map(|user| user.id)
    }

    fn nobody(&self) -> Value {
        json!({"errors": [problems::not_found("id", self.id)]})
    }
}
