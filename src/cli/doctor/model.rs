//! Checks of the model: its id, its key, and whether it answers.

use tokio_util::sync::CancellationToken;

use super::Check;
use crate::clients::http;
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Facts, Model, ModelError, Providers};

/// Id and key first; the provider is asked only if those are right.
pub(super) async fn checks(config: &Config, clock: &Clock) -> anyhow::Result<Vec<Check>> {
    let providers =
        Providers::new(&config.models, http::client(None)?, clock.clone())?.priced(&config.budgets.prices);
    let id = config.model_name.as_str();
    if let Err(error) = providers.check(id) {
        let (found, advice) = words(error);
        let model = Check::failed("model", format!("{id}: {found}"), advice);
        return Ok(vec![model, Check::skipped("model answers", "not asked")]);
    }
    let answers = match providers.ping(id, None, &CancellationToken::new()).await {
        Ok(_) => Check::good("model answers", "yes"),
        Err(error) => {
            let (found, advice) = words(error);
            Check::failed("model answers", found, advice)
        }
    };
    Ok(vec![
        Check::good("model", format!("{id}, with what it needs")),
        answers,
        known(&providers.facts(id).await),
    ])
}

/// Window and price: without a price no budget can hold.
fn known(facts: &Facts) -> Check {
    const NAME: &str = "model price";
    match facts.price {
        Some(price) => Check::good(NAME, format!("{}; a window of {} tokens", price, facts.window)),
        None => Check::warning(
            NAME,
            format!("not known; a window of {} tokens", facts.window),
            "name it in the configuration: budgets.prices.\"MODEL\".input_usd and output_usd, per million tokens",
        ),
    }
}

fn words(error: ModelError) -> (String, String) {
    match error {
        ModelError::Stop { reason, hint } => (reason, hint),
        ModelError::Wait { reason, .. } => {
            (reason, "try again later; check the network and the provider's status page".to_owned())
        }
        other => (other.to_string(), "choose another model with ML_INTERN_MODEL or --model".to_owned()),
    }
}
