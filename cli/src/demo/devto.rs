//! dev.to: organizations whose articles people comment on.

use std::time::Duration;

use async_trait::async_trait;
use sandbox::devto::{Community, Devto, RateLimit};
use serde_json::{Value, json};

use super::cast::{Act, Scale, Written};

const ARTICLES: usize = 300;
const SEED: u64 = 20_260_511;

pub(super) struct DevtoAct(Devto);

impl DevtoAct {
    pub(super) async fn begin(scale: Scale) -> anyhow::Result<Self> {
        let devto = Devto::serve(Community::realistic(SEED, ARTICLES, scale.comments)).await?;
        devto.set_latency(Duration::from_millis(20));
        devto.limit(Some(RateLimit { requests: 100, per: Duration::from_secs(2) }));
        Ok(Self(devto))
    }
}

#[async_trait]
impl Act for DevtoAct {
    fn kind(&self) -> &'static str {
        "devto"
    }

    fn url(&self) -> String {
        self.0.url()
    }

    /// Every organization there is.
    fn settings(&self) -> Value {
        self.0.look(|community| {
            let organizations = community.organizations();
            let names: Vec<_> = organizations.map(|it| &it.username).collect();
            json!({ "organizations": names })
        })
    }

    /// New comments on old articles, and in the second round replies to them.
    async fn write_upstream(&self, round: usize) -> Written {
        self.0.edit(|community| {
            let author = community.users().next().expect("a community has people").id;
            let ours = community.articles().filter(|article| article.organization.is_some());
            let articles: Vec<_> = ours.map(|article| article.id).take(3).collect();
            for &article in &articles {
                let comment =
                    community.add_comment(article, author, "<p>I have read this twice.</p>");
                if round == 2 {
                    community.reply(comment, author, "<p>And once more.</p>");
                }
            }
            let comments = articles.len() * round;
            let said =
                format!("somebody wrote {comments} comments under {} articles", articles.len());
            Written { said, new: comments as i64 }
        })
    }

    fn requests(&self) -> u64 {
        self.0.request_count()
    }
}
