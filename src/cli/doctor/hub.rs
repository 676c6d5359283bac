//! Checks of the Hub: whose account each configured token is.

use std::time::Duration;

use super::Check;
use crate::app::tokens;
use crate::config::Config;

/// How long the Hub may take for all of them.
const PATIENCE: Duration = Duration::from_secs(30);
const NAME: &str = "hub token";

/// One check for each token of the configuration; a skipped one without any.
pub(super) async fn checks(config: &Config) -> anyhow::Result<Vec<Check>> {
    let Ok(checked) = tokio::time::timeout(PATIENCE, tokens::check(config)).await else {
        let advice = "check the network, and HF_ENDPOINT if you set it";
        return Ok(vec![Check::failed(NAME, "the Hub did not answer in time", advice)]);
    };
    let checked = checked?;
    if checked.is_empty() {
        return Ok(vec![Check::skipped(NAME, "none is configured; only what is public can be read")]);
    }
    let check = |one: tokens::Checked| match one.works {
        Ok(account) => Check::good(NAME, format!("{} works as {account}", one.setting)),
        Err(why) => Check::failed(
            NAME,
            format!("{}: {why}", one.setting),
            "make a new token at https://huggingface.co/settings/tokens and set it again; if the Hub could not be reached, check the network",
        ),
    };
    Ok(checked.into_iter().map(check).collect())
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::secret::Secret;

    #[tokio::test]
    async fn without_a_token_nothing_is_asked_and_one_that_cannot_be_checked_is_named() {
        crate::clients::http::install_tls();
        let mut config = Config::default();
        config.services.hf_endpoint = "http://127.0.0.1:9".to_owned();
        assert_eq!(checks(&config).await.unwrap()[0].state, State::Skipped);
        config.hub.tokens.insert("U1".to_owned(), Secret::new("hf_of_config"));
        let found = checks(&config).await.unwrap();
        assert_eq!((found.len(), found[0].state), (1, State::Failed));
        assert!(found[0].found.starts_with("hub.tokens.U1: ") && !found[0].found.contains("hf_of_config"));
    }
}
