//! `/share-traces`: where this account's traces go, and who may see them there.
//!
//! Owns the words of the answer. Whether traces are shared at all is configuration's business.

use std::time::Duration;

use crate::app::App;
use crate::app::traces::{Shared, Visibility};

/// How long the Hub may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is wanted of the traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To know where they are.
    Tell,
    /// That everybody can see them.
    Public,
    /// That only the account can.
    Private,
}

/// Does it, and says how things stand.
pub async fn share(app: &App, wish: Wish) -> String {
    let Some(traces) = app.traces() else {
        return "Traces are not shared. `share_traces: true` in the configuration, with HF_TOKEN, sends each \
                conversation, redacted, to a private dataset of your own."
            .to_owned();
    };
    let asked = async {
        match wish {
            Wish::Tell => traces.shared().await,
            Wish::Public => traces.show_to(Visibility::Public).await,
            Wish::Private => traces.show_to(Visibility::Private).await,
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(shared)) => told(&shared),
        Ok(Err(error)) => format!("The Hub could not do that: {error}. Nothing was changed here."),
        Err(_) => "The Hub did not answer in time; try again in a moment.".to_owned(),
    }
}

fn told(shared: &Shared) -> String {
    let who = match shared.visibility {
        Some(Visibility::Public) => "everybody can see it; `/share-traces private` changes that",
        Some(Visibility::Private) => "only you can see it; `/share-traces public` changes that",
        None => "it is made, private, when the next turn ends",
    };
    format!("Traces of your conversations go to {} ({who}): {}", shared.repo, shared.page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_where_and_who() {
        let shared = |visibility| Shared {
            repo: "ada/traces".to_owned(),
            page: "https://huggingface.co/datasets/ada/traces".to_owned(),
            visibility,
        };
        for (visibility, words) in [
            (Some(Visibility::Public), "everybody can see it"),
            (Some(Visibility::Private), "only you can see it"),
            (None, "it is made, private"),
        ] {
            let told = told(&shared(visibility));
            assert!(told.contains(words) && told.ends_with("/datasets/ada/traces"), "{told}");
        }
    }
}
