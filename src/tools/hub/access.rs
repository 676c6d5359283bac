//! Whose account a request to the Hub is made with.
//!
//! Owns the port [`Accounts`] and the choice between a person's token and the bot's. A token leaves here only
//! inside a [`Hub`]; never as text.

use std::sync::Arc;

use async_trait::async_trait;

use crate::clients::hub::Hub;
use crate::config::HubAccount;
use crate::protocol::{Actor, PersonId};
use crate::secret::Secret;

/// Tokens that people have given.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// This person's own token, if they gave one.
    async fn token(&self, person: &PersonId) -> Option<Secret>;
}

/// The Hub, as whoever asked sees it.
#[derive(Clone)]
pub struct HubAccess {
    hub: Hub,
    bot: Option<Secret>,
    accounts: Arc<dyn Accounts>,
    whose: HubAccount,
}

impl HubAccess {
    /// The Hub by the bot's token, or by people's own, as `whose` says.
    #[must_use]
    pub fn new(hub: Hub, bot: Option<Secret>, accounts: Arc<dyn Accounts>, whose: HubAccount) -> Self {
        Self { hub, bot, accounts, whose }
    }

    /// The Hub for this person's requests: with a token, or without one if there is none for them.
    pub async fn of(&self, person: &Actor) -> Hub {
        self.hub.with_token(self.token(person).await)
    }

    /// The Hub by the bot's own account, if it has one.
    #[must_use]
    pub fn bot(&self) -> Option<(Hub, Secret)> {
        let token = self.bot.clone()?;
        Some((self.hub.with_token(Some(token.clone())), token))
    }

    /// The Hub for what it tells anybody, without a token.
    #[must_use]
    pub fn anonymous(&self) -> Hub {
        self.hub.with_token(None)
    }

    /// The token for this person's requests. For a child's environment only where its tool says that it must.
    pub async fn token(&self, person: &Actor) -> Option<Secret> {
        match self.whose {
            HubAccount::Bot => self.bot.clone(),
            HubAccount::Person => self.accounts.token(&person.id).await,
            HubAccount::PersonOrBot => self.accounts.token(&person.id).await.or_else(|| self.bot.clone()),
        }
    }
}
