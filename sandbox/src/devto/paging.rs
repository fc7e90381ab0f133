//! Pages as the site understands them: it reads what number it can from a parameter and never
//! complains.

use serde::Deserialize;

use super::records::CommentId;

const ARTICLES_PER_PAGE: usize = 30;
const MOST_ARTICLES_PER_PAGE: usize = 1000;
const THREADS_PER_PAGE: usize = 50;

#[derive(Deserialize)]
pub(super) struct Paging {
    page: Option<String>,
    per_page: Option<String>,
}

impl Paging {
    pub(super) fn per_page(&self) -> usize {
        let asked = self.per_page.as_deref().map(leading_number);
        asked.unwrap_or(ARTICLES_PER_PAGE).min(MOST_ARTICLES_PER_PAGE)
    }

    /// How many entries the earlier pages hold. Pages count from one; a page of nought is the first.
    pub(super) fn skipped(&self) -> usize {
        self.page().saturating_sub(1).saturating_mul(self.per_page())
    }

    /// Comments are paged by thread, and only if a page is asked for.
    pub(super) fn of_threads<'a>(&self, threads: &'a [CommentId]) -> &'a [CommentId] {
        if self.page() == 0 {
            return threads;
        }
        let per_page = self.per_page.as_deref().map_or(THREADS_PER_PAGE, leading_number);
        let skipped = (self.page() - 1).saturating_mul(per_page).min(threads.len());
        let end = skipped.saturating_add(per_page).min(threads.len());
        &threads[skipped..end]
    }

    fn page(&self) -> usize {
        self.page.as_deref().map_or(0, leading_number)
    }
}

/// `"12abc"` is 12, and `"abc"` is nought: what Ruby makes of them.
fn leading_number(text: &str) -> usize {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[..digits].parse() {
        Ok(number) => number,
        Err(_) if digits == 0 => 0,
        Err(_) => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::Paging;

    fn paging(page: Option<&str>, per_page: Option<&str>) -> (usize, usize) {
        let [page, per_page] = [page, per_page].map(|text| text.map(str::to_owned));
        let paging = Paging { page, per_page };
        (paging.skipped(), paging.per_page())
    }

    #[test]
    fn thirty_articles_make_a_page_unless_something_else_is_asked_for() {
        assert_eq!(paging(None, None), (0, 30));
        assert_eq!(paging(Some("3"), None), (60, 30));
        assert_eq!(paging(Some("3"), Some("50")), (100, 50));
    }

    #[test]
    fn a_page_never_holds_more_than_a_thousand() {
        assert_eq!(paging(Some("2"), Some("1001")), (1000, 1000));
        assert_eq!(paging(Some("2"), Some("99999999999999999999999")), (1000, 1000));
    }

    #[test]
    fn what_is_no_number_is_nought() {
        assert_eq!(paging(Some("abc"), Some("12abc")), (0, 12));
        assert_eq!(paging(Some("-1"), Some("abc")), (0, 0));
    }
}
