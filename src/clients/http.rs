//! The only place that builds an HTTP client: time-outs, user agent, redirects, TLS.
//!
//! Start at [`client`]; [`by_hand`] is for who follows redirects itself. Never holds credentials.

use std::time::Duration;

use reqwest::ClientBuilder;
use reqwest::redirect::Policy;

/// Makes TLS work whatever crates were linked; call it first in `main` and in every test binary.
pub fn install_tls() {
    // Several libraries bring rustls with different providers; without a choice it panics at first use.
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// At most five redirects, and only within one host: what a request carries (keys in headers of a provider's
/// own, the words of a conversation) is meant for that host and no other.
fn same_host() -> Policy {
    Policy::custom(|attempt| {
        let from = attempt.previous().last().map(|url| url.origin());
        if from.is_some_and(|from| from == attempt.url().origin()) && attempt.previous().len() <= 5 {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

fn builder() -> ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "the one place that builds an HTTP client")]
    let builder = reqwest::Client::builder();
    builder
        .user_agent(concat!("ml-intern/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
}

/// A client with our user agent and a connect time-out of 10 s. `total` bounds a whole exchange;
/// `None` leaves that to the caller (streams).
///
/// # Errors
/// Only if TLS cannot be set up on this machine.
pub fn client(total: Option<Duration>) -> anyhow::Result<reqwest::Client> {
    let mut builder = builder().redirect(same_host());
    if let Some(total) = total {
        builder = builder.timeout(total);
    }
    Ok(builder.build()?)
}

/// A client that follows no redirect and bounds no exchange: its user decides both, request by request.
///
/// # Errors
/// Only if TLS cannot be set up on this machine.
pub fn by_hand() -> anyhow::Result<reqwest::Client> {
    Ok(builder().redirect(Policy::none()).build()?)
}
