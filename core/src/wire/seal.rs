//! Sealing: one cipher per cluster, the keys of one node, and its nonces.

use crate::Seed;
use crate::config::{Cipher, Config};
use crate::keyring::{Keyring, KeyringError};

/// What seals and opens.
#[derive(Clone, Debug)]
pub(super) struct Sealer {
    cipher: Cipher,
    keyring: Keyring,
}

impl Sealer {
    pub(super) fn new(config: &Config, keyring: Keyring, _seed: &Seed) -> Result<Self, KeyringError> {
        check(config.cipher, &keyring)?;
        Ok(Self { cipher: config.cipher, keyring })
    }

    pub(super) const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub(super) fn set_keyring(&mut self, keyring: Keyring) -> Result<(), KeyringError> {
        check(self.cipher, &keyring)?;
        self.keyring = keyring;
        Ok(())
    }
}

/// Whether the cipher takes all these keys.
fn check(cipher: Cipher, keyring: &Keyring) -> Result<(), KeyringError> {
    let misfit = |bytes: &usize| cipher == Cipher::ChaCha20Poly1305 && *bytes != 32;
    match keyring.iter().map(|key| key.expose().len()).find(misfit) {
        Some(bytes) => Err(KeyringError::Unfit(bytes)),
        None => Ok(()),
    }
}
