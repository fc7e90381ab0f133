//! A community as one finds it: a few write, many comment, most articles are soon forgotten and
//! some argued over for weeks.
//!
//! The seed decides everything. Articles and comments happen in the order of their time, so numbers
//! and instants agree as they do on the real site.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::community::Community;
use super::prose;
use super::records::{ArticleId, CommentId, OrganizationId, UserId};
use super::vocabulary::ORGANIZATIONS;

/// How long the community has been writing when we find it.
const SPAN: TimeDelta = TimeDelta::days(900);

/// The longest that an article is still commented on.
const ATTENTION: TimeDelta = TimeDelta::days(45);

impl Community {
    /// A community with this many articles and comments, among them some that were deleted or
    /// hidden since, and some whose authors have no profile any more.
    ///
    /// Panics if there are comments and no article they could be about.
    pub fn realistic(seed: u64, articles: usize, comments: usize) -> Self {
        assert!(articles > 0 || comments == 0, "comments need an article to be about");
        let mut growth = Growth::from(seed);
        let organizations = growth.found_organizations();
        let authors = growth.invite(2 + articles / 12);
        let commenters = growth.invite(5 + comments / 6);
        for (at, moment) in growth.schedule(articles, comments) {
            growth.community.turn_to(at);
            match moment {
                Moment::Article => growth.publish(&authors, &organizations),
                Moment::Comment { article } => growth.comment(article, &commenters),
            }
        }
        growth.leave_tombstones();
        growth.lose_profiles(&commenters);
        growth.community
    }
}

struct Growth {
    rng: StdRng,
    community: Community,
    /// How many share a handle; all but the first have a number behind it.
    handles: HashMap<String, u32>,
    /// In order of publication, with the comments so far.
    articles: Vec<(ArticleId, Vec<CommentId>)>,
    written: usize,
}

enum Moment {
    Article,
    Comment { article: usize },
}

impl From<u64> for Growth {
    fn from(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            community: Community::empty(),
            handles: HashMap::new(),
            articles: Vec::new(),
            written: 0,
        }
    }
}

impl Growth {
    fn found_organizations(&mut self) -> Vec<OrganizationId> {
        let found = |&(username, name): &(&str, &str)| {
            self.handles.insert(username.to_owned(), 1);
            self.community.add_organization(username, name)
        };
        ORGANIZATIONS.iter().map(found).collect()
    }

    fn invite(&mut self, count: usize) -> Vec<UserId> {
        (0..count).map(|_| self.join()).collect()
    }

    fn join(&mut self) -> UserId {
        let name = prose::name(&mut self.rng);
        let username = self.free_username(name.handle);
        let id = self.community.add_user(&username, &name.full);
        let days_ago = self.skewed(2_500) as i64;
        let rng = &mut self.rng;
        let user = self.community.user_mut(id);
        user.joined_at -= TimeDelta::days(days_ago);
        user.summary = rng.random_bool(0.6).then(|| prose::summary(rng));
        user.location = rng.random_bool(0.5).then(|| name.place.to_owned());
        user.github_username = rng.random_bool(0.7).then(|| username.clone());
        user.twitter_username = rng.random_bool(0.3).then(|| username.clone());
        user.website_url = rng.random_bool(0.2).then(|| format!("https://{username}.example.com/"));
        id
    }

    fn free_username(&mut self, handle: String) -> String {
        let sharing = self.handles.entry(handle.clone()).or_insert(0);
        *sharing += 1;
        match sharing {
            1 => handle,
            number => format!("{handle}{number}"),
        }
    }

    /// Articles appear evenly. Comments go to some articles far more than to others, to an eighth
    /// of them never, and mostly in the first days.
    fn schedule(&mut self, articles: usize, comments: usize) -> Vec<(DateTime<Utc>, Moment)> {
        let start = self.community.now();
        let published: Vec<_> =
            (0..articles).map(|i| start + SPAN * i as i32 / articles as i32).collect();
        let mut by_popularity: Vec<_> = (0..articles).collect();
        by_popularity.shuffle(&mut self.rng);
        let commented = (articles - articles / 8).max(1);
        let mut moments: Vec<_> = published.iter().map(|&at| (at, Moment::Article)).collect();
        for _ in 0..comments {
            let article = by_popularity[self.skewed(commented)];
            let minutes = self.skewed(ATTENTION.num_minutes() as usize) as i64;
            let at = published[article] + TimeDelta::minutes(2 + minutes);
            moments.push((at.min(start + SPAN), Moment::Comment { article }));
        }
        // A stable sort: what happens in one minute happens in the order it was thought of.
        moments.sort_by_key(|&(at, _)| at);
        moments
    }

    fn publish(&mut self, authors: &[UserId], organizations: &[OrganizationId]) {
        let author = authors[self.skewed(authors.len())];
        let title = prose::title(&mut self.rng);
        let id = if self.rng.random_bool(0.7) {
            let organization = organizations[self.skewed(organizations.len())];
            self.community.add_article_for(organization, author, &title)
        } else {
            self.community.add_article(author, &title)
        };
        let reactions = self.skewed(900) as u32;
        let article = self.community.article_mut(id);
        article.tags = prose::tags(&mut self.rng);
        article.reactions = reactions;
        article.reading_time_minutes = self.rng.random_range(1..15);
        self.articles.push((id, Vec::new()));
    }

    /// Half of the comments answer another one, preferably a recent one.
    fn comment(&mut self, article: usize, commenters: &[UserId]) {
        let author = commenters[self.skewed(commenters.len())];
        let addressee = commenters[self.skewed(commenters.len())];
        let addressee = self.community.user(addressee).username.clone();
        self.written += 1;
        let body = prose::comment(&mut self.rng, self.written, &addressee);
        let ago = self.skewed(self.articles[article].1.len().max(1));
        let answers = self.rng.random_bool(0.5);
        let (id, comments) = &mut self.articles[article];
        let comment = match comments.iter().rev().nth(ago) {
            Some(&parent) if answers => self.community.reply(parent, author, &body),
            _ => self.community.add_comment(*id, author, &body),
        };
        comments.push(comment);
    }

    /// Some comments that were answered are deleted since, and a few hidden: at least one of each
    /// where there are two to choose from.
    fn leave_tombstones(&mut self) {
        let comments = self.community.comments();
        let mut answered: Vec<_> = comments
            .filter(|comment| !comment.replies.is_empty())
            .map(|comment| comment.id)
            .collect();
        answered.shuffle(&mut self.rng);
        let (deleted, hidden) = (answered.len() / 20 + 1, answered.len() / 100 + 1);
        answered.iter().take(deleted).for_each(|&id| self.community.delete_comment(id));
        answered.iter().skip(deleted).take(hidden).for_each(|&id| self.community.hide_comment(id));
    }

    /// One in forty, and one at least.
    fn lose_profiles(&mut self, commenters: &[UserId]) {
        let mut gone = commenters.to_vec();
        gone.shuffle(&mut self.rng);
        gone.truncate(gone.len() / 40 + 1);
        gone.into_iter().for_each(|id| self.community.delete_profile(id));
    }

    /// An index below `count`: of ten, six fall on the first fifth. Cubed and not raised to some
    /// broken power, since multiplication is the same on every machine.
    fn skewed(&mut self, count: usize) -> usize {
        let part: f64 = self.rng.random();
        ((part * part * part * count as f64) as usize).min(count - 1)
    }
}
