//! GitHub: repositories with stars, forks, pull requests, issues and discussions.

use async_trait::async_trait;
use sandbox::github::{Github, PERSONAL_TOKEN, World};
use serde_json::{Value, json};
use shared::clock::Clock;

use super::cast::{Act, Written};

const SEED: u64 = 20_260_514;

pub(super) struct GithubAct(Github);

impl GithubAct {
    pub(super) async fn begin() -> anyhow::Result<Self> {
        Ok(Self(Github::serve(World::realistic(SEED)).await?))
    }
}

#[async_trait]
impl Act for GithubAct {
    fn kind(&self) -> &'static str {
        "github"
    }

    fn url(&self) -> String {
        self.0.url()
    }

    /// Every repository that the token sees.
    fn settings(&self) -> Value {
        json!({})
    }

    fn credential(&self) -> Option<Value> {
        Some(json!({ "type": "secret", "secret": PERSONAL_TOKEN }))
    }

    /// Somebody new stars a repository, opens an issue, and comments on it.
    async fn write_upstream(&self, round: usize) -> Written {
        self.0.edit(|world| {
            world.turn_to(Clock::System.now());
            let repository = world.repositories().next().expect("a repository").id;
            let person = world.add_user(&format!("newcomer{round}"));
            world.star(repository, person);
            let issue = world.open_issue(repository, person, "It stops at night");
            world.comment(issue, person, "Only when nobody looks.");
            Written { said: "a newcomer starred, opened an issue and commented".into(), new: 3 }
        })
    }

    fn requests(&self) -> u64 {
        self.0.request_count()
    }
}
