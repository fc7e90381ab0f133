//! The master keys, and what is sealed by them.
//!
//! What is sealed can be read by whoever has the key, and only where it belongs: the tenant and the
//! row are part of what is checked, so a sealed secret that was copied into another row, or restored
//! into another tenant, does not open. The first key seals, all of them open; so a key is changed by
//! putting a new one in front, sealing everything again, and taking the old one away.
//!
//! As bytes, version 1:
//!
//! ```text
//! 1 │ length of the key's id │ the key's id │ nonce, 24 bytes │ XChaCha20-Poly1305, and its tag of 16
//! └──────── checked as well ──────────────┘
//! ```
//!
//! The nonce is random each time; at 24 bytes that is safe for as many rows as there will ever be.

mod master_key;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::domain::TenantId;

pub use master_key::{InvalidMasterKeys, MasterKey};

const VERSION: u8 = 1;
const NONCE: usize = 24;

/// The master keys, the one that seals first. Without any, nothing is sealed or opened. Cheap to
/// clone; printing it tells the keys' ids.
#[derive(Clone, Default)]
pub struct Keyring(Arc<[MasterKey]>);

/// Where something sealed belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What sort of row, in a word.
    pub table: &'static str,
    pub tenant: TenantId,
    pub row: Uuid,
}

/// There is nothing to seal with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no master key: make one with `millrace credentials new-key`, and set MASTER_KEYS"
)]
pub struct NoMasterKey;

/// Why something sealed cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopenable {
    #[error("it is broken off, or was never sealed")]
    Malformed,
    #[error("it was sealed in a form that this version does not know ({0})")]
    UnknownVersion(u8),
    #[error("it was sealed by the master key `{0}`, which MASTER_KEYS does not have")]
    UnknownKey(String),
    #[error(
        "it does not open with the master key `{0}`: the key is another one of that name, or this was sealed elsewhere or altered"
    )]
    Refused(String),
}

impl Keyring {
    pub fn seal(&self, place: Place, open: &[u8]) -> Result<Vec<u8>, NoMasterKey> {
        let key = self.0.first().ok_or(NoMasterKey)?;
        let nonce: [u8; NONCE] = rand::random();
        let mut sealed = header(key.id());
        let aad = bound(&sealed, place);
        let ciphertext = cipher(key)
            .encrypt(&XNonce::from(nonce), Payload { msg: open, aad: &aad })
            // The cipher refuses what is longer than 256 GB, and nothing else.
            .expect("what is sealed fits into memory");
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Overwritten when it is dropped.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        let Parts { header, id, nonce, ciphertext } = Parts::of(sealed)?;
        let key = self.0.iter().find(|key| key.id() == id);
        let key = key.ok_or_else(|| Unopenable::UnknownKey(id.to_owned()))?;
        let payload = Payload { msg: ciphertext, aad: &bound(header, place) };
        let open = cipher(key).decrypt(&XNonce::from(nonce), payload);
        open.map(Zeroizing::new).map_err(|_| Unopenable::Refused(id.to_owned()))
    }

    /// The id of the key that seals.
    pub fn sealing_key(&self) -> Option<&str> {
        self.0.first().map(MasterKey::id)
    }

    /// Tells two secrets apart, without telling anything of them to who has no master key. The same
    /// for as long as the same key comes first.
    pub fn fingerprint(&self, open: &[u8]) -> Result<[u8; 32], NoMasterKey> {
        let key = self.0.first().ok_or(NoMasterKey)?;
        let inner = Sha256::new().chain_update(key.bytes()).chain_update(open).finalize();
        // Twice, as an HMAC does: nothing can be appended to what went in.
        Ok(Sha256::new().chain_update(key.bytes()).chain_update(inner).finalize().into())
    }
}

/// As MASTER_KEYS says it: `<id>:<base64 of 32 bytes>`, separated by commas.
impl FromStr for Keyring {
    type Err = InvalidMasterKeys;

    fn from_str(text: &str) -> Result<Self, InvalidMasterKeys> {
        master_key::all(text).map(|keys| Self(keys.into()))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring")
            .field(&self.0.iter().map(MasterKey::id).collect::<Vec<_>>())
            .finish()
    }
}

/// Something sealed, taken apart.
struct Parts<'a> {
    header: &'a [u8],
    id: &'a str,
    nonce: [u8; NONCE],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Result<Self, Unopenable> {
        match sealed.first() {
            Some(&VERSION) => Self::of_this_version(sealed).ok_or(Unopenable::Malformed),
            Some(&other) => Err(Unopenable::UnknownVersion(other)),
            None => Err(Unopenable::Malformed),
        }
    }

    fn of_this_version(sealed: &'a [u8]) -> Option<Self> {
        let length = usize::from(*sealed.get(1)?);
        let (header, rest) = sealed.split_at_checked(2 + length)?;
        let id = std::str::from_utf8(&header[2..]).ok()?;
        let (nonce, ciphertext) = rest.split_first_chunk()?;
        Some(Self { header, id, nonce: *nonce, ciphertext })
    }
}

fn header(id: &str) -> Vec<u8> {
    // An id has 32 characters at the most.
    let mut header = vec![VERSION, id.len() as u8];
    header.extend_from_slice(id.as_bytes());
    header
}

/// What is checked besides the secret itself. Each part has a length of its own or is the last, so
/// that no two places look alike.
fn bound(header: &[u8], place: Place) -> Vec<u8> {
    let Place { table, tenant, row } = place;
    [header, tenant.0.as_bytes(), row.as_bytes(), table.as_bytes()].concat()
}

fn cipher(key: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}
