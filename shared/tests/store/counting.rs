//! How much is stored, for people who want to see that something came of it.

use shared::domain::{Activity, RequestedBy, RunMode};
use shared::store::{Page, Stored};
use sqlx::PgPool;

use crate::ground::Ground;
use crate::records::{activities, comment};

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_is_stored_is_counted_by_integration_and_by_type(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (first, idle) = (ground.hold().await, ground.hold().await);
    let star = Activity { kind: "star".into(), ..comment("s") };
    let page = Page {
        operations: activities([comment("a"), comment("b"), star]),
        requests: 3,
        ..Page::default()
    };
    let source = first.take().await;
    first.store.commit_page(source, &page).await.unwrap();
    first.store.finish_run(first.lease, None, 2).await.unwrap();
    let again = (first.integration, RunMode::Check, RequestedBy::Api);
    ground.store.request_run(again.0, again.1, again.2).await.unwrap();

    let of = async |integration| {
        let counted = ground.store.count_stored_by_integration().await.unwrap();
        let mut counted = counted.into_iter().filter(|it| it.integration == integration);
        let counted = counted.next().unwrap();
        (counted.runs, counted.streams, counted.requests)
    };
    assert_eq!(of(first.integration).await, (2, 1, 5));
    assert_eq!(of(idle.integration).await, (1, 0, 0));
    let by_type = first.store.count_stored_by_type().await.unwrap();
    let by_type: Vec<_> = by_type
        .iter()
        .map(|it| (it.integration, it.activity_type.as_str(), it.activities))
        .collect();
    assert_eq!(by_type, [(first.integration, "comment", 2), (first.integration, "star", 1)]);
    let stored = Stored { runs: 3, streams: 1, members: 1, activities: 3, requests: 5 };
    assert_eq!(first.store.count_stored().await.unwrap(), stored);
}
