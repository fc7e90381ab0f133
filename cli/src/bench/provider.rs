//! The platform that is fetched from: pages of comments, written before the first is asked for, so
//! that answering costs next to nothing. It prints its address when it is ready.
//!
//! The comments are those of a simulated dev.to: a few people write most of them, some answer
//! others, and the texts are as long as people's texts are.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::ensure;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::serve::ListenerExt;
use sandbox::devto::{Community, ExpectedComment, User};
use tokio::net::TcpListener;

use super::size::Size;
use super::wire;

#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(long)]
    quick: bool,
}

/// List by list, page by page.
type Pages = Vec<Vec<Bytes>>;

pub(super) const READY: &str = "the platform is ";

const SEED: u64 = 20_260_511;
const COMMENTS_PER_ARTICLE: usize = 20;

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let pages = Arc::new(pages(&Size::of(args.quick))?);
    let router = Router::new().route("/lists/{list}/pages/{page}", get(page)).with_state(pages);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{READY}http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|connection| {
        // Without it an answer in two pieces waits for an acknowledgement in between. A connection
        // for which it fails is gone already.
        connection.set_nodelay(true).ok();
    });
    Ok(axum::serve(listener, router).await?)
}

async fn page(
    State(pages): State<Arc<Pages>>,
    Path((list, page)): Path<(usize, usize)>,
) -> impl IntoResponse {
    match pages.get(list).and_then(|pages| pages.get(page)) {
        Some(page) => Ok(([(header::CONTENT_TYPE, "application/json")], page.clone())),
        None => Err(StatusCode::NOT_FOUND),
    }
}

/// Written out list after list, so that a thread of comments is mostly within one.
fn pages(size: &Size) -> anyhow::Result<Pages> {
    let mut comments = comments(size)?.into_iter();
    let mut next_page = |number: usize| {
        let comments = comments.by_ref().take(size.records_per_page).collect();
        let next_page = Some(number + 1).filter(|next| *next < size.pages_per_list);
        serde_json::to_vec(&wire::Page { comments, next_page }).map(Bytes::from)
    };
    let mut list = |_| (0..size.pages_per_list).map(&mut next_page).collect();
    Ok((0..size.lists).map(&mut list).collect::<Result<_, _>>()?)
}

/// As many as there are records, article by article, each thread in the order it was written.
fn comments(size: &Size) -> anyhow::Result<Vec<wire::Comment>> {
    // Some are deleted again in the course of a community's life.
    let written = size.records() + size.records() / 5;
    let community = Community::realistic(SEED, written / COMMENTS_PER_ARTICLE, written);
    let mut comments = community.expected_comments();
    ensure!(comments.len() >= size.records(), "{} comments are too few", comments.len());
    comments.truncate(size.records());
    comments.sort_by_key(|comment| comment.article_id);
    let users: HashMap<u64, &User> = community.users().map(|user| (user.id.0, user)).collect();
    // Each comment was written by one of the community's users.
    Ok(comments.into_iter().map(|comment| on_the_wire(users[&comment.user_id], comment)).collect())
}

fn on_the_wire(user: &User, comment: ExpectedComment) -> wire::Comment {
    let image = |width| {
        let id = user.id.0;
        format!(
            "https://media2.dev.to/dynamic/image/width={width}/uploads/user/profile_image/{id}.png"
        )
    };
    wire::Comment {
        type_of: "comment".to_owned(),
        id_code: comment.id_code,
        parent_id_code: comment.parent_id_code,
        article_id: comment.article_id,
        created_at: comment.created_at,
        body_html: comment.body_html,
        user: wire::User {
            name: user.name.clone(),
            username: user.username.clone(),
            twitter_username: user.twitter_username.clone(),
            github_username: user.github_username.clone(),
            user_id: user.id.0,
            website_url: user.website_url.clone(),
            profile_image: image(640),
            profile_image_90: image(90),
        },
    }
}
