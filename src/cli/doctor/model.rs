//! Checks of the model: its id, its key, and whether it answers.

use super::Check;
use crate::clients::http;
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Model, ModelError, Providers};

/// Id and key first; the provider is asked only if those are right.
pub(super) async fn checks(config: &Config, clock: &Clock) -> anyhow::Result<Vec<Check>> {
    let providers = Providers::new(&config.models, http::client(None)?, clock.clone())?;
    let id = config.model_name.as_str();
    if let Err(error) = providers.check(id) {
        let (found, advice) = words(error);
        let model = Check::failed("model", format!("{id}: {found}"), advice);
        return Ok(vec![model, Check::skipped("model answers", "not asked")]);
    }
    let answers = match providers.probe(id).await {
        Ok(()) => Check::good("model answers", "yes"),
        Err(error) => {
            let (found, advice) = words(error);
            Check::failed("model answers", found, advice)
        }
    };
    Ok(vec![Check::good("model", format!("{id}, with what it needs")), answers])
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
