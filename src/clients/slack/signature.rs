//! The signature on requests that Slack sends us: HMAC-SHA256 over version, time and raw body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::clock::Timestamp;
use crate::secret::Secret;

/// How far a request's time may be from ours, in seconds, either way.
const WINDOW: i64 = 300;

/// Why a request was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing or unreadable.
    #[error("the request carries no readable signature")]
    Missing,
    /// Too old, or from the future: a replay, or one of the clocks is wrong.
    #[error("the request's time is more than five minutes off")]
    Stale,
    /// Not signed with our secret.
    #[error("the signature is wrong")]
    Wrong,
}

/// The signature of `body` at `seconds`, as the header carries it.
#[must_use]
pub fn sign(secret: &Secret, seconds: i64, body: &[u8]) -> String {
    // A key of any length is taken by HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()) else {
        return String::new();
    };
    mac.update(format!("v0:{seconds}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

/// Believes a request or says why not. Takes the headers `x-slack-request-timestamp` and
/// `x-slack-signature` and the raw body.
///
/// # Errors
/// As [`SignatureError`] says.
pub fn verify(
    secret: &Secret,
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let seconds: i64 = timestamp.and_then(|text| text.parse().ok()).ok_or(SignatureError::Missing)?;
    let signature = signature.ok_or(SignatureError::Missing)?;
    if now.seconds().saturating_sub(seconds).saturating_abs() > WINDOW {
        return Err(SignatureError::Stale);
    }
    let expected = sign(secret, seconds, body);
    if !secret.is_empty() && bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
        Ok(())
    } else {
        Err(SignatureError::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Slack's own documentation.
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1000)
    }

    #[test]
    fn the_documented_example_is_believed_for_five_minutes_either_way() {
        let secret = Secret::new("8f742231b10e8888abcd99yyyzzz85a5");
        let check = |now| verify(&secret, Some("1531420618"), Some(SIGNATURE), BODY.as_bytes(), at(now));
        for (now, verdict) in [
            (1_531_420_618, Ok(())),
            (1_531_420_618 + 300, Ok(())),
            (1_531_420_618 - 300, Ok(())),
            (1_531_420_618 + 301, Err(SignatureError::Stale)),
            (1_531_420_618 - 301, Err(SignatureError::Stale)),
        ] {
            assert_eq!(check(now), verdict, "at {now}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let secret = Secret::new("right");
        let good = sign(&secret, 100, b"body");
        let verify = |time, signature, body: &[u8]| super::verify(&secret, time, signature, body, at(100));
        assert_eq!(verify(Some("100"), Some(&good), b"body"), Ok(()));
        assert_eq!(verify(Some("100"), Some(&good), b"bodY"), Err(SignatureError::Wrong));
        assert_eq!(verify(Some("101"), Some(&good), b"body"), Err(SignatureError::Wrong));
        assert_eq!(verify(Some("100"), Some(""), b"body"), Err(SignatureError::Wrong));
        assert_eq!(verify(Some("100"), None, b"body"), Err(SignatureError::Missing));
        assert_eq!(verify(None, Some(&good), b"body"), Err(SignatureError::Missing));
        assert_eq!(verify(Some("soon"), Some(&good), b"body"), Err(SignatureError::Missing));
        assert_eq!(verify(Some("-9223372036854775808"), Some(&good), b"body"), Err(SignatureError::Stale));
        let empty = Secret::new("");
        let forged = sign(&empty, 100, b"body");
        assert_eq!(
            super::verify(&empty, Some("100"), Some(&forged), b"body", at(100)),
            Err(SignatureError::Wrong)
        );
    }
}
