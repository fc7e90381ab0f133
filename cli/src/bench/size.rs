//! How much there is to do.

/// Counts; the same for all sides of a measurement.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(super) struct Size {
    /// Lists of pages at the platform. They are fetched side by side, each page after page.
    pub(super) lists: usize,
    pub(super) pages_per_list: usize,
    pub(super) records_per_page: usize,
    /// Streams that bring nothing.
    pub(super) empty_streams: usize,
    /// Of which a tick finds one in [`Size::TICKS_BETWEEN_CHECKS`] due.
    pub(super) integrations: usize,
    /// Finished streams that lie beside the next one.
    pub(super) history: usize,
    /// How often a next stream is taken and committed.
    pub(super) next_streams: usize,
}

impl Size {
    pub(super) const TICKS_BETWEEN_CHECKS: u32 = 10;

    pub(super) fn of(quick: bool) -> Self {
        if quick { Self::QUICK } else { Self::FULL }
    }

    const FULL: Self = Self {
        lists: 8,
        pages_per_list: 125,
        records_per_page: 100,
        empty_streams: 20_000,
        integrations: 100_000,
        history: 1_000_000,
        next_streams: 2_000,
    };

    const QUICK: Self = Self {
        pages_per_list: 5,
        empty_streams: 1_000,
        integrations: 5_000,
        history: 20_000,
        next_streams: 200,
        ..Self::FULL
    };

    pub(super) fn records(&self) -> usize {
        self.lists * self.pages_per_list * self.records_per_page
    }

    pub(super) fn due(&self) -> usize {
        self.integrations / Self::TICKS_BETWEEN_CHECKS as usize
    }
}
