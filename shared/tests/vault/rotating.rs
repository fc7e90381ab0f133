//! Another master key, while everything goes on.

use shared::vault::Rotated;
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::ground::{Ground, User, brought};

async fn sealed_by(ground: &Ground) -> Vec<(String, i64)> {
    let question = "select sealed_by, count(*) from credentials group by 1 order by 1";
    sqlx::query_as(question).fetch_all(ground.store.pool()).await.unwrap()
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn everything_is_sealed_again_while_tokens_are_used_and_renewed(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    let granted = ground.platform.granted();
    for _ in 0..20 {
        ground.vault().add(ground.tenant, brought(granted.clone()), None).await.unwrap();
    }
    assert_eq!(sealed_by(&ground).await, [("k1".to_owned(), 21)]);

    let vaults: Vec<_> = (0..3).map(|_| ground.vault_on(&ground.store, "k2,k1")).collect();
    let users: Vec<_> = vaults.iter().map(|vault| ground.user(vault, id)).collect();
    ground.outlive_the_token();
    let mut asking: JoinSet<()> = users.iter().cycle().take(30).map(User::asks).collect();
    let rotating = vaults[0].clone();
    let rotating = tokio::spawn(async move { rotating.rotate().await.unwrap() });
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
    let rotated = rotating.await.unwrap();

    assert!(rotated.left.is_empty() && (20..=21).contains(&rotated.resealed), "{rotated:?}");
    assert_eq!(sealed_by(&ground).await, [("k2".to_owned(), 21)]);
    assert_eq!((ground.platform.refreshes(), ground.platform.reuses()), (1, 0));
    ground.user(&ground.vault_on(&ground.store, "k2"), id).ask().await.unwrap();
    assert_eq!(vaults[1].rotate().await.unwrap(), Rotated::default(), "there is nothing to do");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_no_key_opens_is_named_and_left(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let lost = ground.bring().await.id;
    let vault = ground.vault_on(&ground.store, "k2,k3");

    let rotated = vault.rotate().await.unwrap();

    assert_eq!((rotated.resealed, rotated.left.len()), (0, 1));
    let (id, why) = &rotated.left[0];
    assert_eq!(*id, lost);
    assert_eq!(why, "it was sealed by the master key `k1`, which MASTER_KEYS does not have");
    let asked = ground.user(&vault, lost).ask().await.unwrap_err();
    assert!(format!("{asked:#}").contains(&format!("opening credential {lost}")), "{asked:#}");
    ground.user(&ground.vault(), lost).ask().await.unwrap();
}
