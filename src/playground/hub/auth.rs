//! Who calls: the token in `Authorization`, strictly. A wrong token is refused even where none is needed.
//!
//! Owns [`Caller`]. Never decides about repos; that is `access`. Start at [`Caller`] as a route's argument.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;

use super::super::http::{bearer, same};
use super::errors::HubError;
use super::options::{OrgRole, TokenRole};
use super::shared::Hub;
use super::state::State;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// No token came.
    Anonymous,
    /// Somebody with an account.
    Account {
        /// User name.
        name: String,
        /// What the token may do.
        role: TokenRole,
    },
}

impl Caller {
    /// Reads the headers.
    ///
    /// # Errors
    /// A token came and nobody has it.
    pub fn of(state: &State, headers: &HeaderMap) -> Result<Self, HubError> {
        if !headers.contains_key(header::AUTHORIZATION) {
            return Ok(Self::Anonymous);
        }
        let token = bearer(headers).or_else(|| basic(headers)).ok_or_else(HubError::wrong_token)?;
        for account in &state.accounts {
            for (secret, role) in &account.tokens {
                if same(Some(&token), secret) {
                    return Ok(Self::Account { name: account.name.clone(), role: *role });
                }
            }
        }
        Err(HubError::wrong_token())
    }

    /// The user name, if there is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::Account { name, .. } => Some(name),
        }
    }

    /// The user name.
    ///
    /// # Errors
    /// No token came.
    pub fn known(&self) -> Result<&str, HubError> {
        self.name().ok_or_else(HubError::needs_token)
    }

    /// The user name of somebody whose token may change things.
    ///
    /// # Errors
    /// No token came, or it may only look.
    pub fn writer(&self) -> Result<&str, HubError> {
        match self {
            Self::Anonymous => Err(HubError::needs_token()),
            Self::Account { role: TokenRole::Read, .. } => Err(HubError::forbidden(
                "You must use a write token to access this endpoint. Your token only has read permissions.",
            )),
            Self::Account { name, .. } => Ok(name),
        }
    }

    /// What the caller is in a namespace: of their own name everything, in an organisation as its member.
    pub fn role_in(&self, state: &State, namespace: &str) -> Option<OrgRole> {
        let name = self.name()?;
        if name == namespace {
            return Some(OrgRole::Admin);
        }
        let org = state.orgs.iter().find(|it| it.name == namespace)?;
        org.members.iter().find(|(member, _)| member == name).map(|(_, role)| *role)
    }

    /// Lets through whoever may make and change things in a namespace.
    ///
    /// # Errors
    /// No token, a token that only looks, or not a writing member.
    pub fn may_write_in(&self, state: &State, namespace: &str) -> Result<(), HubError> {
        self.writer()?;
        match self.role_in(state, namespace) {
            Some(OrgRole::Admin | OrgRole::Write) => Ok(()),
            _ => Err(HubError::forbidden(format!(
                "You don't have the rights to create or change anything under the namespace \"{namespace}\"."
            ))),
        }
    }
}

/// Git's LFS clients send the token as a password.
fn basic(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, code) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = base64::engine::general_purpose::STANDARD.decode(code.trim()).ok()?;
    let (_, token) = std::str::from_utf8(&plain).ok()?.split_once(':')?;
    Some(token.to_owned())
}

impl FromRequestParts<Hub> for Caller {
    type Rejection = HubError;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, HubError> {
        hub.look(|state| Self::of(state, &parts.headers))
    }
}
