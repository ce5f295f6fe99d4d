//! Sealing: one cipher per cluster, the keys of one node, and its nonces.
//!
//! ```text
//! sealed packet: header with the flag `sealed`, nonce (12), tag (16), ciphertext of the messages
//! ```
//!
//! The header, and with it the cluster's label, is authenticated: a packet of one cluster does not open in another, even
//! with the same key. A nonce is 8 random bytes, drawn at birth from a stream of their own, then a 32-bit counter: every
//! node has the same key and begins again with it, so that a bare counter would repeat.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use aes_gcm::aead::KeyInit;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use aes_gcm::{AeadInOut, AesGcm};
use chacha20poly1305::ChaCha20Poly1305;

use super::error::WireError;
use crate::Seed;
use crate::config::{Cipher, Config};
use crate::keyring::{Key, Keyring, KeyringError};
use crate::rng::{Purpose, Rng};

pub(super) const NONCE_BYTES: usize = 12;
pub(super) const TAG_BYTES: usize = 16;
/// What a sealed packet has between its header and its messages.
pub(super) const SEAL_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// What seals and opens: the keys, a cipher ready for each, and where the nonces stand.
pub(super) struct Sealer {
    cipher: Cipher,
    keyring: Keyring,
    /// One for each key, in the order of the ring.
    ciphers: Vec<Keyed>,
    nonces: Nonces,
    /// Whether what is sent is sealed (`verify_outgoing`).
    pub(super) seals: bool,
    /// Whether only what is sealed is taken (`verify_incoming`).
    pub(super) strict: bool,
}

/// A cipher with its key.
enum Keyed {
    Aes128(Box<AesGcm<Aes128, U12>>),
    Aes192(Box<AesGcm<Aes192, U12>>),
    Aes256(Box<AesGcm<Aes256, U12>>),
    ChaCha20(Box<ChaCha20Poly1305>),
}

/// Nonces of one node, none twice.
struct Nonces {
    rng: Rng,
    random: [u8; 8],
    counter: u32,
}

impl Sealer {
    pub(super) fn new(config: &Config, keyring: Keyring, seed: &Seed) -> Result<Self, KeyringError> {
        Ok(Self {
            cipher: config.cipher,
            ciphers: ciphers(config.cipher, &keyring)?,
            keyring,
            nonces: Nonces::new(seed),
            seals: config.verify_outgoing,
            strict: config.verify_incoming,
        })
    }

    /// A copy whose nonces come from another seed.
    pub(super) fn fork(&self, seed: &Seed) -> Self {
        Self {
            cipher: self.cipher,
            // These keys were taken before.
            ciphers: ciphers(self.cipher, &self.keyring).unwrap_or_default(),
            keyring: self.keyring.clone(),
            nonces: Nonces::new(seed),
            seals: self.seals,
            strict: self.strict,
        }
    }

    pub(super) const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub(super) fn set_keyring(&mut self, keyring: Keyring) -> Result<(), KeyringError> {
        self.ciphers = ciphers(self.cipher, &keyring)?;
        self.keyring = keyring;
        Ok(())
    }

    /// Seals with the primary key: `body` is room for nonce and tag, then the messages.
    pub(super) fn seal(&mut self, header: &[u8], body: &mut [u8]) {
        let nonce = self.nonces.next();
        let primary = self.ciphers.first();
        debug_assert!(primary.is_some() && body.len() >= SEAL_BYTES, "a packet is sealed that was not begun");
        let Some((seal, messages)) = body.split_first_chunk_mut::<SEAL_BYTES>() else { return };
        let tag = primary.and_then(|primary| primary.seal(&nonce, header, messages));
        let Some(tag) = tag else {
            // No cipher here refuses less than 64 GiB. Should one do so, nothing leaves the node in the clear.
            messages.fill(0);
            return;
        };
        seal[..NONCE_BYTES].copy_from_slice(&nonce);
        seal[NONCE_BYTES..].copy_from_slice(&tag);
    }

    /// Opens with whichever key does, the primary first; the messages are all of `opened`.
    pub(super) fn open(&self, header: &[u8], body: &[u8], opened: &mut Vec<u8>) -> Result<(), WireError> {
        let too_short = WireError::TooShort(header.len() + body.len());
        let (nonce, rest) = body.split_first_chunk::<NONCE_BYTES>().ok_or(too_short)?;
        let (tag, ciphertext) = rest.split_first_chunk::<TAG_BYTES>().ok_or(too_short)?;
        for cipher in &self.ciphers {
            opened.clear();
            opened.extend_from_slice(ciphertext);
            if cipher.open(nonce, header, opened, tag) {
                return Ok(());
            }
        }
        opened.clear();
        Err(WireError::Seal)
    }

    /// Puts the counter where a test wants it.
    #[cfg(test)]
    pub(super) const fn set_nonce_counter(&mut self, counter: u32) {
        self.nonces.counter = counter;
    }

    /// Puts the random bytes where a test wants them.
    #[cfg(test)]
    pub(super) const fn set_nonce_random(&mut self, random: [u8; 8]) {
        self.nonces.random = random;
    }
}

impl fmt::Debug for Sealer {
    /// Neither keys nor what ciphers made of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cipher, keyring, nonces: Nonces { counter, .. }, seals, strict, .. } = self;
        f.debug_struct("Sealer")
            .field("cipher", cipher)
            .field("keyring", keyring)
            .field("sealed", counter)
            .field("seals", seals)
            .field("strict", strict)
            .finish_non_exhaustive()
    }
}

/// A cipher for each key.
fn ciphers(cipher: Cipher, keyring: &Keyring) -> Result<Vec<Keyed>, KeyringError> {
    keyring.iter().map(|key| Keyed::new(cipher, key)).collect()
}

impl Keyed {
    fn new(cipher: Cipher, key: &Key) -> Result<Self, KeyringError> {
        let key = key.expose();
        let unfit = |_| KeyringError::Unfit(key.len());
        Ok(match (cipher, key.len()) {
            (Cipher::AesGcm, 16) => Self::Aes128(Box::new(AesGcm::new_from_slice(key).map_err(unfit)?)),
            (Cipher::AesGcm, 24) => Self::Aes192(Box::new(AesGcm::new_from_slice(key).map_err(unfit)?)),
            (Cipher::AesGcm, _) => Self::Aes256(Box::new(AesGcm::new_from_slice(key).map_err(unfit)?)),
            (Cipher::ChaCha20Poly1305, _) => {
                Self::ChaCha20(Box::new(ChaCha20Poly1305::new_from_slice(key).map_err(unfit)?))
            }
        })
    }

    fn seal(&self, nonce: &[u8; NONCE_BYTES], header: &[u8], messages: &mut [u8]) -> Option<[u8; TAG_BYTES]> {
        match self {
            Self::Aes128(cipher) => seal_with(&**cipher, nonce, header, messages),
            Self::Aes192(cipher) => seal_with(&**cipher, nonce, header, messages),
            Self::Aes256(cipher) => seal_with(&**cipher, nonce, header, messages),
            Self::ChaCha20(cipher) => seal_with(&**cipher, nonce, header, messages),
        }
    }

    fn open(&self, nonce: &[u8; NONCE_BYTES], header: &[u8], body: &mut [u8], tag: &[u8; TAG_BYTES]) -> bool {
        match self {
            Self::Aes128(cipher) => open_with(&**cipher, nonce, header, body, tag),
            Self::Aes192(cipher) => open_with(&**cipher, nonce, header, body, tag),
            Self::Aes256(cipher) => open_with(&**cipher, nonce, header, body, tag),
            Self::ChaCha20(cipher) => open_with(&**cipher, nonce, header, body, tag),
        }
    }
}

fn seal_with<C: AeadInOut<NonceSize = U12, TagSize = U16>>(
    cipher: &C,
    nonce: &[u8; NONCE_BYTES],
    header: &[u8],
    messages: &mut [u8],
) -> Option<[u8; TAG_BYTES]> {
    cipher.encrypt_inout_detached(nonce.into(), header, messages.into()).ok().map(Into::into)
}

fn open_with<C: AeadInOut<NonceSize = U12, TagSize = U16>>(
    cipher: &C,
    nonce: &[u8; NONCE_BYTES],
    header: &[u8],
    body: &mut [u8],
    tag: &[u8; TAG_BYTES],
) -> bool {
    cipher.decrypt_inout_detached(nonce.into(), header, body.into(), tag.into()).is_ok()
}

impl Nonces {
    fn new(seed: &Seed) -> Self {
        let mut rng = seed.stream(Purpose::Nonces);
        let random = rng.u64().to_le_bytes();
        Self { rng, random, counter: 0 }
    }

    fn next(&mut self) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..8].copy_from_slice(&self.random);
        nonce[8..].copy_from_slice(&self.counter.to_le_bytes());
        match self.counter.checked_add(1) {
            Some(counter) => self.counter = counter,
            None => (self.random, self.counter) = (self.rng.u64().to_le_bytes(), 0),
        }
        nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_counter_that_is_used_up_brings_fresh_random_bytes_and_no_nonce_comes_twice() {
        let mut nonces = Nonces::new(&Seed::simulated(1, 2, 3));
        let first = nonces.random;
        let mut seen: BTreeSet<_> = (0..3).map(|_| nonces.next()).collect();
        nonces.counter = u32::MAX - 2;
        seen.extend((0..6).map(|_| nonces.next()));
        assert_eq!(seen.len(), 9);
        assert_eq!(seen.iter().filter(|nonce| nonce[..8] == first).count(), 6);
        assert_ne!(nonces.random, first);
        assert_eq!(nonces.counter, 3);
    }

    #[test]
    fn lives_and_nodes_do_not_share_nonces() {
        let first = |run, node, life| Nonces::new(&Seed::simulated(run, node, life)).next();
        let nonces: BTreeSet<_> =
            [first(1, 1, 0), first(1, 1, 1), first(1, 2, 0), first(2, 1, 0)].into_iter().collect();
        assert_eq!(nonces.len(), 4);
    }
}
