//! `rumor keygen`: makes an encryption key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::failure::{Failure, Outcome};
use super::output::Output;

/// 32 random bytes (AES-256), in base64.
pub(crate) fn run() -> Outcome {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key)
        .map_err(|error| Failure::new(format!("Error reading random data: {error}")))?;
    let text = Zeroizing::new(STANDARD.encode(*key) + "\n");
    Ok(Output::standard().print(&text)?)
}
