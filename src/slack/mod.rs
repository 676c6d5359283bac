//! Slack as a front door: what comes in becomes operations, what a session shows becomes messages.
//!
//! Owns what a thread, a card, a stream and a sentence of ours are. Never runs a session. Start at
//! [`SlackDoor`]; then `translate/` (payload to meaning), `listen/` (meaning to a durable operation),
//! `present/` (events to messages), `say.rs` (every sentence).

pub mod access;
pub mod buttons;
pub mod listen;
pub mod manifest;
pub mod modal;
pub mod names;
pub mod place;
pub mod present;
pub mod say;
pub mod translate;

use std::sync::Arc;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use self::listen::socket::Envelopes;
use self::listen::{Listener, Parts};
use self::names::Names;
use self::present::SlackPresenters;
use self::translate::Ourselves;
use crate::clients::slack::{Identity, Scheduler, SlackApi, SlackError, SocketMode, SocketTimes};
use crate::clock::Clock;
use crate::config::SlackConfig;
use crate::random::Random;
use crate::runtime::intake::Intake;
use crate::runtime::present::Presenters;

/// The Slack front door of one process.
pub struct SlackDoor {
    config: SlackConfig,
    identity: Identity,
    scheduler: Scheduler,
    listener: Arc<Listener>,
    presenters: Arc<SlackPresenters>,
    random: Random,
}

impl SlackDoor {
    /// Checks the tokens and assembles the door. Listens to nothing yet.
    ///
    /// # Errors
    /// In plain words, if a token is missing or refused, or Slack cannot be reached.
    pub async fn connect(
        config: SlackConfig,
        intake: Intake,
        clock: Clock,
        random: Random,
    ) -> anyhow::Result<Self> {
        let api = Arc::new(SlackApi::new(&config)?);
        let scheduler = Scheduler::new(Arc::clone(&api), random.clone());
        let identity = api.identity().await.map_err(|error| plain("bot token", "SLACK_BOT_TOKEN", &error))?;
        let us =
            Ourselves { team: identity.team.clone(), user: identity.user.clone(), bot: identity.bot.clone() };
        let names = Names::new(scheduler.clone(), clock.clone());
        let presenters =
            Arc::new(SlackPresenters::new(scheduler.clone(), us.clone(), Arc::clone(&names), config.stream));
        let parts = Parts { config: config.clone(), us, intake, scheduler: scheduler.clone(), names, clock };
        Ok(Self { config, identity, scheduler, listener: Arc::new(Listener::new(parts)), presenters, random })
    }

    /// Who we are in the workspace.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What sends to Slack, for everybody else in the process who does.
    #[must_use]
    pub fn scheduler(&self) -> Scheduler {
        self.scheduler.clone()
    }

    /// The presenters, for the runtime.
    #[must_use]
    pub fn presenters(&self) -> Arc<dyn Presenters> {
        Arc::clone(&self.presenters) as Arc<dyn Presenters>
    }

    /// Routes for deliveries over HTTP; none without a signing secret.
    #[must_use]
    pub fn http_routes(&self) -> axum::Router {
        match &self.config.signing_secret {
            Some(secret) => listen::http::routes(Arc::clone(&self.listener), secret.clone()),
            None => axum::Router::new(),
        }
    }

    /// Listens over Socket Mode until cancelled, then drains: handlers in flight finish and are
    /// acknowledged, and what goes out behind the answers goes out.
    ///
    /// # Errors
    /// At once and in plain words if the app token is missing or refused; later only if a token was revoked.
    pub async fn run_socket(&self, cancel: CancellationToken) -> anyhow::Result<()> {
        if self.config.app_token.is_none() {
            anyhow::bail!(
                "Socket Mode needs an app-level token: set SLACK_APP_TOKEN to the xapp-… token with the scope connections:write"
            );
        }
        // Asking once ourselves tells a refused token apart from a network that is down for a moment.
        if let Err(error) = self.scheduler.api().open_connection().await
            && matches!(error, SlackError::Api { .. })
        {
            return Err(plain("app-level token", "SLACK_APP_TOKEN", &error));
        }
        let handler = Arc::new(Envelopes(Arc::clone(&self.listener)));
        let socket = SocketMode::new(
            Arc::clone(self.scheduler.api()),
            handler,
            self.config.connections,
            SocketTimes::default(),
            self.random.clone(),
        );
        let result = socket.run(cancel).await;
        self.listener.drain().await;
        result.context("Socket Mode stopped for good: Slack no longer accepts the token")
    }

    /// Waits for what goes out behind answers over HTTP; call it after the server stopped.
    pub async fn drain(&self) {
        self.listener.drain().await;
    }
}

/// What a refused token means and what to do.
fn plain(what: &str, variable: &str, error: &SlackError) -> anyhow::Error {
    let advice = match error {
        SlackError::Api { error: code, .. }
            if code == "missing_scope" || code == "not_allowed_token_type" =>
        {
            format!(
                "Slack says {code}: the {what} is of the wrong kind or lacks a scope. Run `ml-intern manifest`, update the app, reinstall it, and set {variable} again."
            )
        }
        SlackError::Api { error: code, .. } => {
            format!(
                "Slack refused the {what} ({code}). Copy it again from your app's page at api.slack.com into {variable}."
            )
        }
        SlackError::RateLimited { retry_after } => {
            format!("Slack asks to wait {} s before trying again.", retry_after.as_secs())
        }
        SlackError::Transport(why) => {
            format!("Slack could not be reached ({why}). Check the network, and SLACK_API_URL if you set it.")
        }
    };
    anyhow::anyhow!(advice)
}
