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
    ///
    /// # Errors
    /// Nobody can say just now whether there is one.
    async fn token(&self, person: &PersonId) -> Result<Option<Secret>, Unreadable>;
}

/// What is kept of people's tokens cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("people's Hub tokens cannot be read")]
pub struct Unreadable;

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

    /// Whether everybody's requests are made with the bot's token.
    #[must_use]
    pub fn is_bots(&self) -> bool {
        self.whose == HubAccount::Bot
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
        if self.whose == HubAccount::Bot {
            return self.bot.clone();
        }
        match self.accounts.token(&person.id).await {
            Ok(None) if self.whose == HubAccount::PersonOrBot => self.bot.clone(),
            Ok(own) => own,
            // Whoever gave a token must not act as the bot because it cannot be read.
            Err(error) => {
                tracing::error!(%error, "a person's request is made without any account");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given(Result<Option<Secret>, Unreadable>);

    #[async_trait]
    impl Accounts for Given {
        async fn token(&self, _: &PersonId) -> Result<Option<Secret>, Unreadable> {
            self.0.clone()
        }
    }

    #[tokio::test]
    async fn whose_token_is_used_is_as_configured_and_never_another_by_mistake() {
        crate::clients::http::install_tls();
        let (own, bot) = (Some(Secret::new("own")), Some(Secret::new("bots")));
        for (whose, given, used) in [
            (HubAccount::Bot, Ok(own.clone()), bot.clone()),
            (HubAccount::Person, Ok(own.clone()), own.clone()),
            (HubAccount::Person, Ok(None), None),
            (HubAccount::PersonOrBot, Ok(own.clone()), own.clone()),
            (HubAccount::PersonOrBot, Ok(None), bot.clone()),
            (HubAccount::PersonOrBot, Err(Unreadable), None),
        ] {
            let hub = Hub::new("http://127.0.0.1:9", None).unwrap();
            let access = HubAccess::new(hub, bot.clone(), Arc::new(Given(given.clone())), whose);
            assert_eq!(access.token(&Actor::new("U1", "Ann")).await, used, "{whose:?} {given:?}");
        }
    }
}
