//! What a command answers, on stdout. A pipe that was closed is an error like any other, which
//! `println!` would panic about.

use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Row, Table};
use serde::Serialize;

pub(crate) fn line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

pub(crate) fn json(answer: &impl Serialize) -> io::Result<()> {
    line(serde_json::to_string_pretty(answer)?)
}

/// For people: columns wide enough for what is in them, and no lines between.
pub(crate) fn table<R: Into<Row>>(
    header: impl Into<Row>,
    rows: impl IntoIterator<Item = R>,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    line(table.trim_fmt())
}

/// The beginning of a text, on one line.
pub(crate) fn excerpt(text: &str, characters: usize) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_is_one_line_and_not_too_long() {
        assert_eq!(excerpt("short\n and  broken", 40), "short and broken");
        assert_eq!(excerpt("Zürich grüßt die Welt", 12), "Zürich grüßt…");
        assert_eq!(excerpt("exact", 5), "exact");
    }
}
