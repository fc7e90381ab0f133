//! A master key, and how keys are written down.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const LENGTH: usize = 32;
const LONGEST_ID: usize = 32;

/// 32 random bytes with a name. Overwritten when it is dropped; not printed.
pub struct MasterKey {
    id: String,
    bytes: Zeroizing<[u8; LENGTH]>,
}

/// What is wrong with a list of master keys. Tells the keys' ids, never a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMasterKeys {
    #[error("key {0} has no id: write `<id>:<base64 of 32 bytes>`")]
    NoId(usize),
    #[error("the id of key {0} must be 1 to 32 letters, digits, `-`, `_` or `.`")]
    InvalidId(usize),
    #[error("the key `{0}` is not base64")]
    NotBase64(String),
    #[error("the key `{0}` has {1} bytes, not 32")]
    WrongLength(String, usize),
    #[error("the id `{0}` is there twice")]
    Twice(String),
}

impl MasterKey {
    /// A new one, random.
    pub fn new(id: &str) -> Result<Self, InvalidMasterKeys> {
        Ok(Self { id: checked_id(id, 1)?, bytes: Zeroizing::new(rand::random()) })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// As it is written into MASTER_KEYS.
    pub fn reveal(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(STANDARD.encode(*self.bytes));
        Zeroizing::new(format!("{}:{}", self.id, *key))
    }

    pub(super) fn bytes(&self) -> &[u8; LENGTH] {
        &self.bytes
    }

    fn parse(text: &str, nth: usize) -> Result<Self, InvalidMasterKeys> {
        let (id, key) = text.split_once(':').ok_or(InvalidMasterKeys::NoId(nth))?;
        let id = checked_id(id, nth)?;
        let decoded = STANDARD.decode(key.trim()).map(Zeroizing::new);
        let decoded = decoded.map_err(|_| InvalidMasterKeys::NotBase64(id.clone()))?;
        let mut bytes = Zeroizing::new([0; LENGTH]);
        if decoded.len() != LENGTH {
            return Err(InvalidMasterKeys::WrongLength(id, decoded.len()));
        }
        bytes.copy_from_slice(&decoded);
        Ok(Self { id, bytes })
    }
}

/// The keys of a list, in its order. Around them may be white space, since files end in it.
pub(super) fn all(text: &str) -> Result<Vec<MasterKey>, InvalidMasterKeys> {
    let texts = text.split([',', '\n']).map(str::trim).filter(|text| !text.is_empty());
    let mut keys: Vec<MasterKey> = Vec::new();
    for (nth, text) in (1..).zip(texts) {
        let key = MasterKey::parse(text, nth)?;
        if keys.iter().any(|known| known.id == key.id) {
            return Err(InvalidMasterKeys::Twice(key.id.clone()));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn checked_id(id: &str, nth: usize) -> Result<String, InvalidMasterKeys> {
    let id = id.trim();
    let fits = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if fits && (1..=LONGEST_ID).contains(&id.len()) {
        return Ok(id.to_owned());
    }
    Err(InvalidMasterKeys::InvalidId(nth))
}
