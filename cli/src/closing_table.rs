//! What came of it all, by integration and activity type, in one table.

use comfy_table::TableComponent::{
    HorizontalLines, LeftBorderIntersections, MiddleIntersections, RightBorderIntersections,
};
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Row, Table};
use shared::store::{Store, StoredByIntegration, StoredByType};

use crate::stdout;

const HEADER: [&str; 6] = ["integration", "runs", "streams", "requests", "activities", "of type"];

pub(crate) async fn print(store: &Store) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(HEADER);
    // A line under the header, and none between the rows.
    for line in
        [HorizontalLines, MiddleIntersections, LeftBorderIntersections, RightBorderIntersections]
    {
        table.remove_style(line);
    }
    let by_type = store.count_stored_by_type().await?;
    for integration in store.count_stored_by_integration().await? {
        table.add_rows(rows(&integration, &by_type));
    }
    for column in 1..=4 {
        let column = table.column_mut(column).expect("the header has six");
        column.set_cell_alignment(CellAlignment::Right);
    }
    stdout::line(table)?;
    let stored = store.count_stored().await?;
    stdout::line(format!(
        "{} members, {} activities, by {} runs of {} streams in {} requests",
        stored.members, stored.activities, stored.runs, stored.streams, stored.requests
    ))?;
    Ok(())
}

/// A row for each type; what there is once stands in the first.
fn rows(integration: &StoredByIntegration, by_type: &[StoredByType]) -> Vec<Row> {
    let StoredByIntegration { kind, runs, streams, requests, .. } = integration;
    let mut once = [kind.clone(), runs.to_string(), streams.to_string(), requests.to_string()];
    let types = by_type.iter().filter(|of_type| of_type.integration == integration.integration);
    let mut rows: Vec<Row> = types
        .map(|of_type| {
            let [kind, runs, streams, requests] = std::mem::take(&mut once);
            let activities = of_type.activities.to_string();
            [kind, runs, streams, requests, activities, of_type.activity_type.clone()].into()
        })
        .collect();
    if rows.is_empty() {
        let [kind, runs, streams, requests] = once;
        rows.push([kind, runs, streams, requests, "0".into(), String::new()].into());
    }
    rows
}
