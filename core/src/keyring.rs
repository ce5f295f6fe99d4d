//! Keys of the cluster: material that is never printed, and wiped when it is dropped.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;
use zeroize::Zeroize;

/// Most keys in one [`Keyring`]. An unsealable packet costs a try of each, so a ring is not for collecting.
pub const KEYS_MAX: usize = 64;

/// A key: 16, 24 or 32 bytes. They lie in one place that does not move with the value, so that wiping it leaves no copy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<[u8]>);

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
        if matches!(bytes.len(), 16 | 24 | 32) { Ok(Self(bytes.into())) } else { Err(KeyError(bytes.len())) }
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

/// Why a keyring was not changed, or not taken; it is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The key that is to seal from now on was never installed.
    #[error("the requested key is not in the keyring")]
    Unknown,
    /// The key that seals cannot be removed.
    #[error("removing the primary key is not allowed")]
    Primary,
    /// There are [`KEYS_MAX`] keys already.
    #[error("the keyring is full: it has {KEYS_MAX} keys")]
    Full,
    /// ChaCha20-Poly1305 takes keys of 32 bytes only.
    #[error("the cluster's cipher takes keys of 32 bytes, this one has {0}")]
    Unfit(usize),
    /// The node was born without keys; it cannot be given the first one while it lives (Serf's rule too).
    #[error("encryption is not enabled: the node has no keys")]
    Off,
}

/// A node's keys: the primary, which seals, then others that only open (memberlist's keyring).
///
/// With no key at all nothing is sealed. Never holds a key twice.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Keyring {
    /// The primary first.
    keys: Vec<Key>,
}

impl Keyring {
    /// A keyring without keys: the node seals nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self { keys: Vec::new() }
    }

    /// A keyring of these keys; one that is given twice is kept once.
    ///
    /// # Errors
    /// [`KeyringError::Full`].
    pub fn of(primary: Key, others: Vec<Key>) -> Result<Self, KeyringError> {
        let mut ring = Self::empty();
        ring.install(primary)?;
        for key in others {
            ring.install(key)?;
        }
        Ok(ring)
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key that seals.
    #[must_use]
    pub fn primary(&self) -> Option<&Key> {
        self.keys.first()
    }

    /// All keys, the primary first, in the order in which they are tried.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Key> {
        self.keys.iter()
    }

    /// Adds a key that opens from now on, as the last; one that is there already stays where it is. The first becomes primary.
    ///
    /// # Errors
    /// [`KeyringError::Full`].
    pub fn install(&mut self, key: Key) -> Result<(), KeyringError> {
        if self.keys.contains(&key) {
            return Ok(());
        }
        if self.keys.len() >= KEYS_MAX {
            return Err(KeyringError::Full);
        }
        self.keys.push(key);
        Ok(())
    }

    /// Makes an installed key the primary; the others keep their order behind it.
    ///
    /// # Errors
    /// [`KeyringError::Unknown`].
    pub fn use_key(&mut self, key: &Key) -> Result<(), KeyringError> {
        let at = self.keys.iter().position(|known| known == key).ok_or(KeyringError::Unknown)?;
        self.keys[..=at].rotate_right(1);
        Ok(())
    }

    /// Removes a key. One that is not there is removed already.
    ///
    /// # Errors
    /// [`KeyringError::Primary`].
    pub fn remove(&mut self, key: &Key) -> Result<(), KeyringError> {
        if self.primary() == Some(key) {
            return Err(KeyringError::Primary);
        }
        self.keys.retain(|known| known != key);
        Ok(())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;
    use std::format;

    fn key(byte: u8) -> Key {
        Key::new(&[byte; 16]).unwrap()
    }

    fn bytes(ring: &Keyring) -> Vec<u8> {
        ring.iter().map(|key| key.expose()[0]).collect()
    }

    /// Facts 5.2, 60.
    #[test]
    fn the_first_key_is_primary_and_a_duplicate_changes_nothing() {
        let mut ring = Keyring::of(key(1), vec![key(2), key(1), key(3)]).unwrap();
        assert_eq!(ring.primary(), Some(&key(1)));
        ring.install(key(2)).unwrap();
        assert_eq!(bytes(&ring), [1, 2, 3]);
    }

    #[test]
    fn a_used_key_comes_first_and_the_rest_stay_as_they_were() {
        let mut ring = Keyring::of(key(1), vec![key(2), key(3), key(4)]).unwrap();
        ring.use_key(&key(3)).unwrap();
        assert_eq!(bytes(&ring), [3, 1, 2, 4]);
        assert_eq!(ring.use_key(&key(9)), Err(KeyringError::Unknown));
        assert_eq!(bytes(&ring), [3, 1, 2, 4]);
    }

    #[test]
    fn the_primary_is_not_removed_and_an_absent_key_silently_is() {
        let mut ring = Keyring::of(key(1), vec![key(2)]).unwrap();
        assert_eq!(ring.remove(&key(1)), Err(KeyringError::Primary));
        assert_eq!(ring.remove(&key(9)), Ok(()));
        assert_eq!(bytes(&ring), [1, 2]);
        ring.remove(&key(2)).unwrap();
        assert_eq!(bytes(&ring), [1]);
    }

    #[test]
    fn a_full_ring_takes_no_key_more() {
        let mut ring = Keyring::empty();
        for byte in 0..KEYS_MAX {
            ring.install(key(byte as u8)).unwrap();
        }
        assert_eq!(ring.install(key(200)), Err(KeyringError::Full));
        assert_eq!(ring.install(key(3)), Ok(()), "it is there already");
        assert_eq!(ring.len(), KEYS_MAX);
    }

    #[test]
    fn keys_are_not_printed() {
        let ring = Keyring::of(Key::new(b"secretsecretsecr").unwrap(), vec![]).unwrap();
        let printed = format!("{ring:?} {:?}", ring.primary());
        assert_eq!(printed, "Keyring(1 keys) Some(Key(16 bytes))");
    }

    #[derive(Clone, Copy, Debug)]
    enum Deed {
        Install(u8),
        Use(u8),
        Remove(u8),
    }

    proptest! {
        /// Against a list of bytes under the rules as facts 1.18 tell them.
        #[test]
        fn a_ring_does_what_its_rules_say(
            deeds in prop::collection::vec(
                prop_oneof![(0u8..8).prop_map(Deed::Install), (0u8..8).prop_map(Deed::Use), (0u8..8).prop_map(Deed::Remove)],
                0..40,
            ),
        ) {
            let (mut ring, mut model) = (Keyring::empty(), Vec::<u8>::new());
            for deed in deeds {
                match deed {
                    Deed::Install(k) => {
                        prop_assert_eq!(ring.install(key(k)), Ok(()));
                        if !model.contains(&k) {
                            model.push(k);
                        }
                    }
                    Deed::Use(k) => {
                        let known = model.contains(&k);
                        prop_assert_eq!(ring.use_key(&key(k)).is_ok(), known);
                        if known {
                            model.retain(|&other| other != k);
                            model.insert(0, k);
                        }
                    }
                    Deed::Remove(k) => {
                        let primary = model.first() == Some(&k);
                        prop_assert_eq!(ring.remove(&key(k)).is_err(), primary);
                        if !primary {
                            model.retain(|&other| other != k);
                        }
                    }
                }
                prop_assert_eq!(bytes(&ring), model.clone());
            }
        }
    }
}
