//! What tenants connect: simulated platforms, what people do on them, and what is true there.

mod devto;
mod discord;
mod github;
mod slack;
mod x;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sandbox::devto::{Community, Devto, RateLimit};
use sandbox::discord::{self as discords, Discord};
use sandbox::github::{Github, World};
use sandbox::slack::{Pace, Slack, Workspace};
use serde_json::Value;

pub(crate) use x::X;
use x::{Followed, Reach};

const SEED: u64 = 61;
/// What dev.to allows on a mix, where its limit is to be met.
const DEVTO_PER_SECOND: u32 = 20;

/// A platform as its tenants see it, and as it is.
pub(crate) trait Platform {
    fn kind(&self) -> &'static str;
    /// Whose credential it takes.
    fn platform(&self) -> &'static str {
        self.kind()
    }
    /// By which flag a process is told where it is.
    fn flag(&self) -> (&'static str, String);
    /// What the tenant types when connecting.
    fn settings(&self) -> Value;
    /// What lets a tenant in, unless everybody is or another kind of the same platform has brought it.
    fn credential(&self) -> Option<Value> {
        None
    }
    fn set_latency(&self, latency: Duration);
    /// People write something, and somebody changes it at once; the next check finds both.
    fn write(&self);
    /// Requests that were above a limit.
    fn refused(&self) -> u64;
    /// All that is true, as it is to be stored.
    fn truth(&self) -> BTreeSet<Record>;
    /// A query for what is stored, given a tenant.
    fn stored(&self) -> String {
        stored_activities(&[self.platform()], "coalesce(i.source_id, i.username)")
    }
}

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub(crate) struct Record {
    pub(crate) kind: String,
    pub(crate) source_id: String,
    pub(crate) source_parent_id: Option<String>,
    /// Whose row the row points to.
    pub(crate) parent: Option<String>,
    pub(crate) who: Option<String>,
    pub(crate) body: Option<String>,
    /// `None` where the platform does not say when.
    pub(crate) timestamp: Option<DateTime<Utc>>,
}

fn stored_activities(platforms: &[&str], who: &str) -> String {
    let platforms = platforms.join("', '");
    format!(
        "select a.type as kind, a.source_id, a.source_parent_id, parent.source_id as parent,
            (
                select {who} from member_identities i
                where i.member_id = a.member_id and i.platform in ('{platforms}')
                order by i.platform desc limit 1
            ) as who,
            nullif(a.body, '') as body,
            case when a.type not in ('follow', 'channel_joined') then a.timestamp end as timestamp
         from activities a left join activities parent on parent.id = a.parent_id
         where a.tenant_id = $1 and a.platform in ('{platforms}')"
    )
}

/// Points each to its parent, if that is among them.
fn below_their_parents(records: impl IntoIterator<Item = Record>) -> BTreeSet<Record> {
    let records: Vec<_> = records.into_iter().collect();
    let there: BTreeSet<_> = records.iter().map(|record| record.source_id.clone()).collect();
    let attached = records.into_iter().map(|record| {
        let parent = record.source_parent_id.clone().filter(|parent| there.contains(parent));
        Record { parent, ..record }
    });
    attached.collect()
}

/// All that a tenant of a stage connects.
pub(crate) struct Ground {
    pub(crate) devto: Rc<Devto>,
    /// On a mix.
    pub(crate) mix: Option<Mix>,
    pub(crate) platforms: Vec<Rc<dyn Platform>>,
}

pub(crate) struct Mix {
    pub(crate) github: Rc<Github>,
    pub(crate) x: Rc<X>,
}

impl Ground {
    /// dev.to alone, and no limits.
    pub(super) async fn devto(community: Community) -> Self {
        let devto = Rc::new(Devto::serve(community).await.expect("a simulated dev.to"));
        Self { platforms: vec![Rc::clone(&devto) as Rc<dyn Platform>], devto, mix: None }
    }

    /// All six, small, with the limits of the real ones. The last looks up whom the others bring.
    pub(super) async fn mixed() -> Self {
        let devto = Devto::serve(Community::realistic(SEED, 25, 80)).await;
        let devto = Rc::new(devto.expect("a simulated dev.to"));
        devto.limit(RateLimit { requests: DEVTO_PER_SECOND, per: Duration::from_secs(1) });
        let discord = Discord::serve(discords::Community::realistic(SEED, 30, 150)).await;
        let discord = discord.expect("a simulated Discord");
        let global = RateLimit { requests: 50, per: Duration::from_secs(1) };
        discord.limit(discords::Limits { route: None, global: Some(global) });
        let github = Github::serve(World::village(SEED)).await.expect("a simulated GitHub");
        let slack = Slack::serve(Workspace::realistic(SEED, 20)).await.expect("a simulated Slack");
        slack.limit(Some(Pace::Clock));
        let (github, x) = (Rc::new(github), Rc::new(X::serve().await));
        let platforms: Vec<Rc<dyn Platform>> = vec![
            Rc::clone(&devto) as _,
            Rc::new(discord),
            Rc::clone(&github) as _,
            Rc::new(slack),
            Rc::new(Followed(Rc::clone(&x))),
            Rc::new(Reach(Rc::clone(&x))),
        ];
        Self { devto, mix: Some(Mix { github, x }), platforms }
    }

    /// So many requests a second that a process may send to dev.to.
    pub(super) fn devto_per_second(&self) -> u32 {
        if self.mix.is_some() { DEVTO_PER_SECOND } else { 10_000 }
    }
}
