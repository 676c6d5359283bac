//! Who the token is.

use serde::Deserialize;

use super::ask::Ask;
use super::{Hub, HubError};

/// An account of the Hub.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The name that people write.
    #[serde(default)]
    pub fullname: Option<String>,
    /// Whether it pays for PRO.
    #[serde(default)]
    pub is_pro: bool,
    /// Whether it can pay for jobs, if the Hub says.
    #[serde(default)]
    pub can_pay: Option<bool>,
    /// The organisations that it belongs to.
    #[serde(default)]
    pub orgs: Vec<Organisation>,
    /// What the token may do.
    #[serde(default)]
    auth: Auth,
}

/// An organisation of the Hub.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// What the account may do in it: `admin`, `write`, `contributor`, `read`; if the Hub says.
    #[serde(default)]
    pub role_in_org: Option<String>,
    /// Whether it can pay for jobs, if the Hub says.
    #[serde(default)]
    pub can_pay: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Auth {
    access_token: AccessToken,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct AccessToken {
    role: Option<String>,
}

impl Account {
    /// What the token may do: `read`, `write`, `fineGrained`; if the Hub says.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.auth.access_token.role.as_deref()
    }

    /// The names that repositories and jobs of this account may stand under: its own, then its
    /// organisations' by name.
    #[must_use]
    pub fn namespaces(&self) -> Vec<&str> {
        let mut orgs: Vec<&str> = self.orgs.iter().map(|org| org.name.as_str()).collect();
        orgs.sort_unstable();
        std::iter::once(self.name.as_str()).chain(orgs).collect()
    }
}

impl Hub {
    /// The account of the token, with its organisations.
    ///
    /// # Errors
    /// As [`HubError`] says; `Unauthorized` without a token that the Hub takes.
    pub async fn account(&self) -> Result<Account, HubError> {
        self.json(&Ask::get(&["api", "whoami-v2"])).await
    }

    /// The account's name.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn whoami(&self) -> Result<String, HubError> {
        Ok(self.account().await?.name)
    }
}
