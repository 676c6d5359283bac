//! Whether a dataset is there and may be read, and what to do where not.
//!
//! The viewer alone cannot tell a missing dataset from a private one, or a gated one from one that it has not read
//! yet; the Hub can. Start at [`standing`].

use crate::clients::hub::{Gate, Hub, HubError, Repo, RepoInfo, Visibility};
use crate::clients::service::ServiceError;
use crate::secret::Secret;

/// What is known before anything is looked at.
pub(super) struct Standing {
    /// What the Hub says; none where it did not answer.
    pub(super) info: Option<RepoInfo>,
    /// One line about it for the head of the report.
    pub(super) line: String,
}

/// What the Hub says about the dataset. The error is for the model: why it cannot be looked at.
pub(super) async fn standing(
    hub: &Hub,
    token: Option<&Secret>,
    repo: &Repo,
    info: Result<RepoInfo, HubError>,
) -> Result<Standing, String> {
    let page = repo.page(hub.endpoint());
    let info = match info {
        Ok(info) => info,
        Err(HubError::NotFound { .. }) => return Err(missing(repo, token)),
        Err(HubError::Gated { link, .. }) => return Err(gated(repo, &link, token)),
        Err(error @ (HubError::Unauthorized { .. } | HubError::Forbidden { .. })) => {
            return Err(format!("Dataset {} cannot be looked at: {error}. Its page: {page}", repo.id));
        }
        Err(error) => {
            let line = format!("{page} · whether it is gated or private is unknown: {error}");
            return Ok(Standing { info: None, line });
        }
    };
    let access = match (info.gated, info.visibility()) {
        (Gate::Open, Visibility::Private) => "private; this account may read it".to_owned(),
        (Gate::Open, Visibility::Public) => "public".to_owned(),
        (Gate::Auto | Gate::Manual, _) => match hub.may_read(repo).await {
            Ok(()) => "gated; this account has access".to_owned(),
            Err(
                HubError::Gated { .. }
                | HubError::Unauthorized { .. }
                | HubError::Forbidden { .. }
                | HubError::NotFound { .. },
            ) => {
                return Err(gated(repo, &page, token));
            }
            Err(error) => format!("gated; whether this account has access is unknown: {error}"),
        },
    };
    let revision = match &info.sha {
        Some(sha) => format!("revision {sha}"),
        None => "revision unknown".to_owned(),
    };
    Ok(Standing { line: format!("{page} · {access} · {revision}"), info: Some(info) })
}

fn missing(repo: &Repo, token: Option<&Secret>) -> String {
    let whose = if token.is_some() {
        "or it is private and the account in use may not see it"
    } else {
        "or it is private: there is no Hub token for this person's requests"
    };
    format!(
        "There is no dataset {} on the Hub, {whose}. Check the name (owner/name); hf_papers find_datasets and a search \
         of the Hub find datasets.",
        repo.id
    )
}

fn gated(repo: &Repo, link: &str, token: Option<&Secret>) -> String {
    let whose = if token.is_some() {
        "the account in use has no access yet"
    } else {
        "there is no Hub token for this person's requests"
    };
    format!(
        "Dataset {} is gated, and {whose}. Somebody must accept its conditions at {link} with the account that will \
         train; until then neither the viewer nor a job can read it.",
        repo.id
    )
}

/// What a refusal of the viewer means for somebody who may read the dataset.
pub(super) fn viewer(error: &ServiceError) -> String {
    let ServiceError::Refused { status, code, message } = error else {
        return format!("the dataset viewer: {error}");
    };
    let code = code.as_deref().unwrap_or_default();
    let said = if message.is_empty() { String::new() } else { format!(" ({message})") };
    match (code, status) {
        ("ResponseNotReady" | "ResponseAlreadyComputedError", _) => {
            format!("the dataset viewer has not read it yet{said}: ask again in a minute")
        }
        ("TooManyColumnsError", _) => {
            format!(
                "it has more columns than the dataset viewer takes{said}: load it in Python and look at `ds.features`"
            )
        }
        ("DatasetWithScriptNotSupportedError" | "DatasetModuleNotInstalledError", _) => {
            format!("it is loaded by a script of its own, which the dataset viewer does not run{said}")
        }
        (_, 401 | 403) => format!("the dataset viewer does not let this account read it{said}"),
        (_, 404) => format!("the dataset viewer has nothing of it{said}"),
        (_, 501) => format!("the dataset viewer cannot read this kind of dataset{said}"),
        (code, _) if !code.is_empty() => format!("the dataset viewer failed: {code}{said}"),
        _ => format!("the dataset viewer: {error}"),
    }
}
