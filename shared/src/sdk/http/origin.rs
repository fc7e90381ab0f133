//! Which addresses are the platform's own: those of the configured scheme, host and port.

use std::error::Error;

use anyhow::{Context, bail, ensure};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{StatusCode, Url};
use url::Host;

use super::counting;

const MOST_REDIRECTS: usize = 3;

pub(super) fn base_url(text: &str) -> anyhow::Result<Url> {
    // The text itself is not repeated: it may carry a password.
    let base = Url::parse(text).context("the base URL is not a URL")?;
    ensure!(matches!(base.scheme(), "http" | "https"), "the base URL is neither http nor https");
    ensure!(!has_credentials(&base), "the base URL carries a user or a password");
    ensure!(base.query().is_none() && base.fragment().is_none(), "the base URL carries a query");
    Ok(base)
}

/// The address that a link names, if it is the platform's own. Whole addresses and paths from the
/// root only; whatever else is relative would depend on where it stood.
pub(super) fn own(base: &Url, link: &str) -> anyhow::Result<Url> {
    let url = match link.starts_with('/') {
        true => base.join(link),
        false => Url::parse(link),
    };
    let url = url.context("a next-page link is not a URL")?;
    if !is_own(base, &url) {
        let (ours, theirs) = (origin(base), origin(&url));
        bail!("a next-page link leads to another host: {theirs} instead of {ours}");
    }
    ensure!(!has_credentials(&url), "a next-page link carries a user or a password");
    Ok(url)
}

/// Follows redirects within the platform, and counts each as the request it is.
pub(super) fn redirects(kind: &'static str, base: &Url) -> Policy {
    let base = base.clone();
    Policy::custom(move |attempt| redirect(kind, &base, attempt))
}

fn redirect(kind: &'static str, base: &Url, attempt: Attempt<'_>) -> Action {
    if !is_own(base, attempt.url()) {
        let foreign = Redirected::Elsewhere {
            ours: origin(base),
            theirs: origin(attempt.url()),
            for_good: is_permanent(attempt.status()),
        };
        return attempt.error(foreign);
    }
    if attempt.previous().len() > MOST_REDIRECTS {
        return attempt.error(Redirected::TooOften);
    }
    counting::redirected(kind);
    attempt.follow()
}

/// Whether this cause of an error says that the address itself has moved to another host.
pub(super) fn is_for_good(cause: &(dyn Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(Redirected::Elsewhere { for_good: true, .. }))
}

#[derive(Debug, thiserror::Error)]
enum Redirected {
    #[error("redirected to another host: {theirs} instead of {ours}")]
    Elsewhere { ours: String, theirs: String, for_good: bool },
    #[error("redirected more than {MOST_REDIRECTS} times")]
    TooOften,
}

pub(super) fn is_loopback(base: &Url) -> bool {
    match base.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_own(base: &Url, url: &Url) -> bool {
    base.origin() == url.origin()
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn is_permanent(status: StatusCode) -> bool {
    matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT)
}
