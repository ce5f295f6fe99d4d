//! Keys of the cluster: material that is never printed, and wiped when it is dropped.

use core::fmt;

use smallvec::SmallVec;
use thiserror::Error;
use zeroize::Zeroize;

/// A key: 16, 24 or 32 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(SmallVec<[u8; 32]>);

/// Why bytes are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a key has 16, 24 or 32 bytes, this one has {0}")]
pub struct KeyError(pub usize);

impl Key {
    /// Takes a key.
    ///
    /// # Errors
    /// The length is not 16, 24 or 32 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        if matches!(bytes.len(), 16 | 24 | 32) {
            Ok(Self(SmallVec::from_slice(bytes)))
        } else {
            Err(KeyError(bytes.len()))
        }
    }

    /// The key itself, for a keyring file or a terminal that asked for it.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} bytes)", self.0.len())
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
