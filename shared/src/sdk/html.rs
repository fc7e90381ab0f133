//! Cleaning the HTML that people write on platforms, before it is stored as an activity's body.

use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

/// Formatting, links and pictures stay; whatever acts, frames, styles or tracks by script goes.
///
/// Links and pictures lead to `http`, `https` or `mailto` only, and only by whole addresses, since a
/// relative one would point into whichever page shows it. Every link is `nofollow` (a stranger wrote
/// it), `noopener` and `noreferrer`. Cleaning twice changes nothing more.
pub fn sanitize(html: &str) -> String {
    POLICY.clean(html).to_string()
}

static POLICY: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut policy = Builder::default();
    policy
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("nofollow noopener noreferrer"));
    policy
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formatting_links_and_pictures_stay() {
        let html =
            r#"<p>Nice <strong>work</strong>, see <code>main.rs</code></p><ul><li>one</li></ul>"#;
        assert_eq!(sanitize(html), html);

        let picture = r#"<img src="https://img.example/cat.png" alt="a cat">"#;
        assert_eq!(sanitize(picture), picture);
    }

    #[test]
    fn every_link_is_a_strangers_link() {
        assert_eq!(
            sanitize(r#"<a href="https://example.com/" rel="follow" target="_top">here</a>"#),
            r#"<a href="https://example.com/" rel="nofollow noopener noreferrer">here</a>"#,
        );
    }

    #[test]
    fn whatever_acts_goes() {
        for (dirty, clean) in [
            ("a<script>steal()</script>b", "ab"),
            ("a<style>p{}</style>b", "ab"),
            (r#"<p onclick="steal()">a</p>"#, "<p>a</p>"),
            (r#"<p style="position:fixed">a</p>"#, "<p>a</p>"),
            (r#"<iframe src="https://evil.example/"></iframe>a"#, "a"),
            (r#"<form action="https://evil.example/"><input>a</form>"#, "a"),
            ("<!-- a -->b", "b"),
            (r#"<img src="data:image/svg+xml;base64,AAAA">"#, "<img>"),
            ("<svg><script>steal()</script></svg>a", "a"),
        ] {
            assert_eq!(sanitize(dirty), clean, "cleaning {dirty}");
        }
    }

    #[test]
    fn a_link_that_runs_or_points_into_our_own_page_loses_its_target() {
        for target in ["javascript:steal()", "/settings", "data:text/html,x", "//evil.example/x"] {
            assert_eq!(
                sanitize(&format!(r#"<a href="{target}">a</a>"#)),
                r#"<a rel="nofollow noopener noreferrer">a</a>"#,
                "linking to {target}",
            );
        }
    }

    #[test]
    fn unclosed_and_broken_markup_comes_out_well_formed() {
        assert_eq!(sanitize("<p>a <em>b"), "<p>a <em>b</em></p>");
        assert_eq!(sanitize("1 < 2 & 3"), "1 &lt; 2 &amp; 3");
    }

    #[test]
    fn a_nul_does_not_reach_the_database() {
        assert!(!sanitize("<p>a\0b</p>\0<code>\0</code>").contains('\0'));
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing_more(
            html in "(<[a-z!/]{0,6}|[ a-z\"'=>&;:/\\x00\\-]){0,40}",
        ) {
            let once = sanitize(&html);
            prop_assert_eq!(sanitize(&once), once);
        }
    }
}
