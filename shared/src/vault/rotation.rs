//! Sealing everything again under the first master key, while runs go on.

use anyhow::Context;
use tracing::warn;

use super::Vault;
use super::opened::place;
use crate::domain::CredentialId;
use crate::keyring::NoMasterKey;
use crate::store::SealedCredential;

/// Rows read at a time.
const PAGE: i64 = 500;

/// What came of rotating.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Sealed again.
    pub resealed: u64,
    /// Those that could not be opened, and why. They stay as they are.
    pub left: Vec<(CredentialId, String)>,
}

impl Vault {
    /// A secret that is renewed or replaced meanwhile is not touched: it is looked at again, in case a
    /// process that does not know the new key sealed it.
    pub async fn rotate(&self) -> anyhow::Result<Rotated> {
        let key = self.keyring.sealing_key().ok_or(NoMasterKey)?;
        let mut rotated = Rotated::default();
        let mut after = None;
        loop {
            let page = self.store.credentials_not_sealed_by(key, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(rotated) };
            after = Some(last.id);
            for sealed in &page {
                self.rotate_one(sealed, &mut rotated).await?;
            }
        }
    }

    async fn rotate_one(
        &self,
        sealed: &SealedCredential,
        rotated: &mut Rotated,
    ) -> anyhow::Result<()> {
        let mut sealed = sealed.clone();
        loop {
            let open = match self.keyring.open(place(&sealed), &sealed.sealed) {
                Ok(open) => open,
                Err(error) => {
                    warn!(credential.id = %sealed.id, "not sealed again: {error}");
                    rotated.left.push((sealed.id, error.to_string()));
                    return Ok(());
                }
            };
            let resealed = self.keyring.seal(place(&sealed), &open)?;
            if self.store.reseal_credential(&sealed, &resealed).await? {
                rotated.resealed += 1;
                return Ok(());
            }
            let now = self.store.sealed_credential(sealed.id).await.context("looking again")?;
            match now {
                Some(now) => sealed = now,
                None => return Ok(()),
            }
        }
    }
}
