//! Which repo a request names, and whether its caller may see, read or change it.
//!
//! Owns [`At`] and the doors to repos. Never answers a request. Start at [`readable`].

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::auth::Caller;
use super::errors::HubError;
use super::repo::Repo;
use super::shared::Hub;
use super::state::{Kind, State};

/// The repo that a request's path names, and what its path says besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    pub kind: Kind,
    /// `namespace/name`.
    pub id: String,
    /// Other parts of the path, decoded.
    pub rest: HashMap<String, String>,
    /// Path and query as they came.
    pub asked: String,
}

impl At {
    /// A part of the path; empty if the route has none of this name.
    pub fn part(&self, name: &str) -> &str {
        self.rest.get(name).map_or("", String::as_str)
    }

    /// A number in the path.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, name: &str) -> Result<u64, HubError> {
        self.part(name)
            .parse()
            .map_err(|_| HubError::missing(format!("`{}` is not a number", self.part(name))))
    }
}

impl FromRequestParts<Hub> for At {
    type Rejection = HubError;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, HubError> {
        let Path(mut rest) = Path::<HashMap<String, String>>::from_request_parts(parts, hub)
            .await
            .map_err(|error| HubError::bad(error.to_string()))?;
        let namespace = rest.remove("namespace").unwrap_or_default();
        let name = rest.remove("repo").unwrap_or_default();
        let path = parts.uri.path();
        let path = path.strip_prefix("/api").unwrap_or(path);
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let kind = match first {
            "datasets" => Kind::Dataset,
            "spaces" => Kind::Space,
            _ => Kind::Model,
        };
        let name = name.strip_suffix(".git").unwrap_or(&name);
        let asked = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        Ok(Self { kind, id: format!("{namespace}/{name}"), rest, asked })
    }
}

/// Whether somebody may know that a repo is there.
pub fn sees(state: &State, caller: &Caller, repo: &Repo) -> bool {
    !repo.private || caller.role_in(state, repo.namespace()).is_some()
}

/// Whether somebody may change a repo.
pub fn changes(state: &State, caller: &Caller, repo: &Repo) -> Result<(), HubError> {
    caller.may_write_in(state, repo.namespace()).map_err(|error| match caller {
        Caller::Anonymous => error,
        Caller::Account { .. } => HubError {
            message: if error.message.starts_with("You must use a write token") {
                error.message
            } else {
                format!("Authorization error: you have no write access to {} {}.", repo.kind.word(), repo.id)
            },
            ..error
        },
    })
}

/// Whether the content of a gated repo is open to somebody.
pub fn let_in(state: &State, caller: &Caller, repo: &Repo) -> bool {
    repo.gate.is_none()
        || caller.role_in(state, repo.namespace()).is_some()
        || caller.name().is_some_and(|it| repo.let_in.contains(it))
}

/// The repo that is named, if the caller may know of it.
///
/// # Errors
/// It is not there (for this caller), or has another name now.
pub fn readable<'a>(state: &'a State, caller: &Caller, at: &At) -> Result<&'a Repo, HubError> {
    match state.repos.get(&(at.kind, at.id.clone())) {
        Some(repo) if sees(state, caller, repo) => Ok(repo),
        Some(_) => Err(HubError::repo(caller)),
        None => match state.moved.get(&(at.kind, at.id.clone())) {
            Some(to) if state.repos.get(&(at.kind, to.clone())).is_some_and(|it| sees(state, caller, it)) => {
                Err(HubError::moved(at.asked.replacen(&at.id, to, 1)))
            }
            _ => Err(HubError::repo(caller)),
        },
    }
}

/// The repo that is named, if the caller may read its files.
///
/// # Errors
/// As [`readable`], or its gate is shut for this caller.
pub fn content<'a>(hub: &Hub, state: &'a State, caller: &Caller, at: &At) -> Result<&'a Repo, HubError> {
    let repo = readable(state, caller, at)?;
    if let_in(state, caller, repo) {
        return Ok(repo);
    }
    let page = format!("{}/{}{}", hub.addresses.hub, repo.kind.prefix(), repo.id);
    Err(HubError::gated(caller, repo.kind.word(), &repo.id, &page))
}

/// The repo that is named, if the caller may change it.
///
/// # Errors
/// As [`readable`], or the caller may only look.
pub fn writable<'a>(state: &'a mut State, caller: &Caller, at: &At) -> Result<&'a mut Repo, HubError> {
    changes(state, caller, readable(state, caller, at)?)?;
    state.repos.get_mut(&(at.kind, at.id.clone())).ok_or_else(|| HubError::repo(caller))
}

/// The repo that is named, if the caller has a token that may write and may read the repo: who opens a
/// pull request or a discussion needs no more.
///
/// # Errors
/// As [`readable`], or no token, or one that may only look.
pub fn taking_part<'a>(state: &'a mut State, caller: &Caller, at: &At) -> Result<&'a mut Repo, HubError> {
    readable(state, caller, at)?;
    caller.writer()?;
    state.repos.get_mut(&(at.kind, at.id.clone())).ok_or_else(|| HubError::repo(caller))
}
