//! What came of it all, in one table.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use shared::store::Store;

pub(crate) async fn print(store: &Store) -> anyhow::Result<()> {
    let stored = store.count_stored().await?;
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    table.set_header(["runs", "streams", "members", "activities", "requests made"]);
    table.add_row([
        stored.runs,
        stored.streams,
        stored.members,
        stored.activities,
        stored.requests,
    ]);
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
    Ok(())
}
