//! Keys of sandboxes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::Secret;

/// A key that nobody can guess: 32 random bytes, as text.
///
/// # Errors
/// When this machine gives no random numbers.
pub fn new_key() -> anyhow::Result<Secret> {
    let mut bytes = [0_u8; 32];
    let source = rustls::crypto::ring::default_provider().secure_random;
    source.fill(&mut bytes).map_err(|_| anyhow::anyhow!("this machine gives no random numbers"))?;
    Ok(Secret::new(&URL_SAFE_NO_PAD.encode(bytes)))
}
