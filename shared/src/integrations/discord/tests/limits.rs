//! Each route is counted by itself in each guild and channel, and all requests together.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::*;
use crate::sdk::{Keys, Quota, RequestLimit, Said, Spending, Spent};

/// Notes what is spent and what is said.
#[derive(Default)]
struct Counter {
    spent: Mutex<Vec<Vec<String>>>,
    heard: Mutex<Vec<(String, Said)>>,
}

#[async_trait]
impl Quota for Counter {
    async fn spend(&self, spending: &[Spending]) -> Result<Spent> {
        let classes = spending.iter().map(|it| it.limit.class.to_string()).collect();
        self.spent.lock().expect("no panic").push(classes);
        Ok(Spent::until_dropped(()))
    }

    async fn heed(&self, limit: &RequestLimit, said: Said) {
        self.heard.lock().expect("no panic").push((limit.class.to_string(), said));
    }
}

struct Pocket;

#[async_trait]
impl Keys for Pocket {
    async fn current(&self) -> Result<Option<Arc<Credential>>> {
        Ok(Some(Arc::new(token())))
    }

    async fn renewed(&self, _: &Credential) -> Result<Arc<Credential>> {
        panic!("a bot's token is not renewed")
    }
}

fn counted() -> (Access, Arc<Counter>) {
    let counter = Arc::new(Counter::default());
    (Access::new(Arc::new(Pocket), Arc::clone(&counter) as Arc<dyn Quota>), counter)
}

#[tokio::test]
async fn a_request_counts_against_its_route_and_channel_and_against_all_requests() {
    let Small { site, general, .. } = Small::start().await;
    let discord = integration(&site);
    let (access, counter) = counted();
    let channel = general.to_string().parse().expect("an id");
    discord.api.messages(channel, Part::Newest, &access).await.expect("messages");
    discord.api.me(&access).await.expect("a bot");

    let of_channel = format!("channels/{general}/messages");
    let spent = counter.spent.lock().expect("no panic");
    assert_eq!(*spent, [[of_channel.as_str(), "all requests"], ["users/@me", "all requests"]]);
}

#[tokio::test]
async fn what_the_headers_say_is_of_the_bucket() {
    let Small { site, general, .. } = Small::start().await;
    let hour = std::time::Duration::from_secs(3600);
    let rate = sandbox::discord::RateLimit { requests: 1, per: hour };
    site.limit(sandbox::discord::Limits { route: Some(rate), global: None });
    let discord = integration(&site);
    let (access, counter) = counted();
    let channel = general.to_string().parse().expect("an id");
    discord.api.messages(channel, Part::Newest, &access).await.expect("messages");
    let refused = discord.api.messages(channel, Part::Newest, &access).await;
    assert!(matches!(refused, Err(SyncError::RateLimited { .. })), "{refused:?}");
    discord.api.me(&access).await.expect("another bucket");

    let heard = counter.heard.lock().expect("no panic");
    let of_channel = format!("channels/{general}/messages");
    assert_eq!(
        (&heard[0].0, heard[0].1.allowed, heard[0].1.remaining),
        (&of_channel, Some(1), Some(0))
    );
    assert!(heard[0].1.resets_in.is_some_and(|it| it <= hour && it > hour / 2));
    assert_eq!(heard[1].0, of_channel);
    assert!(heard[1].1.refused_for.is_some_and(|it| it <= hour && it > hour / 2));
    assert_eq!(heard[2].0, "users/@me");
}

#[tokio::test]
async fn a_refusal_by_the_limit_over_all_requests_is_heeded_as_that() {
    let Small { site, .. } = Small::start().await;
    site.misbehave("/users/@me", 1, Fault::RateLimited { seconds: 7, global: true });
    let (access, counter) = counted();
    drop(integration(&site).api.me(&access).await);
    let heard = counter.heard.lock().expect("no panic");
    let seven = Some(std::time::Duration::from_secs(7));
    assert_eq!((heard[0].0.as_str(), heard[0].1.refused_for), ("all requests", seven));
}
