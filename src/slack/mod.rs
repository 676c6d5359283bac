//! Slack as a front door: what comes in becomes operations, what a session shows becomes messages.
//!
//! Owns what a thread, a card, a stream and a sentence of ours are. Never runs a session. Start at
//! [`SlackDoor`]; then `translate/` (payload to meaning), `listen/` (meaning to a durable operation),
//! `present/` (events to messages), `say.rs` (every sentence).

pub mod access;
pub mod buttons;
pub mod groups;
pub mod listen;
pub mod manifest;
pub mod modal;
pub mod names;
pub mod place;
pub mod present;
pub mod say;
pub mod tokens;
pub mod translate;

use std::sync::Arc;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use self::groups::Groups;
use self::listen::socket::Envelopes;
use self::listen::{Listener, Parts};
use self::names::Names;
use self::present::SlackPresenters;
use self::translate::Ourselves;
use crate::clients::slack::{Identity, Scheduler, SlackApi, SlackError, SocketMode, SocketTimes};
use crate::clock::Clock;
use crate::config::{SlackConfig, SlackMode};
use crate::random::Random;
use crate::runtime::board::Board;
use crate::runtime::intake::Intake;
use crate::runtime::present::Presenters;

/// The Slack front door of one process.
pub struct SlackDoor {
    config: SlackConfig,
    identity: Identity,
    scheduler: Scheduler,
    listener: Arc<Listener>,
    presenters: Arc<SlackPresenters>,
    socket: SocketMode,
}

impl SlackDoor {
    /// Checks the tokens and assembles the door. Listens to nothing yet. `groups` are the user groups whose
    /// members rules speak of.
    ///
    /// # Errors
    /// In plain words, if a token is missing or refused, or Slack cannot be reached.
    pub async fn connect(
        config: &SlackConfig,
        groups: Vec<String>,
        intake: Intake,
        clock: Clock,
        random: Random,
    ) -> anyhow::Result<Self> {
        let api = Arc::new(SlackApi::new(config)?);
        let scheduler = Scheduler::new(Arc::clone(&api), random.clone());
        let identity = api.identity().await.map_err(|error| plain("bot token", "SLACK_BOT_TOKEN", &error))?;
        let us =
            Ourselves { team: identity.team.clone(), user: identity.user.clone(), bot: identity.bot.clone() };
        let names = Names::new(scheduler.clone(), clock.clone());
        let groups = Groups::new(scheduler.clone(), clock.clone(), groups);
        let presenters = Arc::new(SlackPresenters::new(
            scheduler.clone(),
            us.clone(),
            Arc::clone(&names),
            Arc::clone(&groups),
            config.stream,
        ));
        let parts =
            Parts { config: config.clone(), us, intake, scheduler: scheduler.clone(), names, groups, clock };
        let listener = Arc::new(Listener::new(parts));
        let socket = SocketMode::new(
            api,
            Arc::new(Envelopes(Arc::clone(&listener))),
            config.connections,
            SocketTimes::default(),
            random,
        );
        Ok(Self { config: config.clone(), identity, scheduler, listener, presenters, socket })
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

    /// Has people's own Hub tokens kept there. The first one counts.
    pub fn take_tokens(&self, desk: Arc<dyn tokens::TokenDesk>) {
        self.listener.take_tokens(desk);
    }

    /// The presenters, for the runtime.
    #[must_use]
    pub fn presenters(&self) -> Arc<dyn Presenters> {
        Arc::clone(&self.presenters) as Arc<dyn Presenters>
    }

    /// Shows jobs in their threads.
    #[must_use]
    pub fn board(&self) -> Arc<dyn Board> {
        Arc::clone(&self.presenters) as Arc<dyn Board>
    }

    /// Routes for deliveries over HTTP; none without a signing secret.
    pub fn http_routes(&self) -> axum::Router {
        match &self.config.signing_secret {
            Some(secret) => listen::http::routes(Arc::clone(&self.listener), secret.clone()),
            None => axum::Router::new(),
        }
    }

    /// How deliveries reach us, as configured.
    #[must_use]
    pub fn mode(&self) -> SlackMode {
        match self.config.mode {
            SlackMode::Auto if self.config.app_token.is_some() => SlackMode::Socket,
            SlackMode::Auto => SlackMode::Http,
            chosen => chosen,
        }
    }

    /// Whether Slack can reach us: a Socket Mode connection is open, or deliveries come over HTTP.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.mode() == SlackMode::Http || self.socket.is_connected()
    }

    /// Checks that deliveries can reach us: asks for one Socket Mode address, or that there is a
    /// signing secret. Call it at the start, to fail at once.
    ///
    /// # Errors
    /// In plain words, if the token or the secret is missing or refused. A network that is down is no error:
    /// that passes.
    pub async fn check_delivery(&self) -> anyhow::Result<()> {
        if self.mode() == SlackMode::Http {
            anyhow::ensure!(
                self.config.signing_secret.as_ref().is_some_and(|secret| !secret.is_empty()),
                "deliveries over HTTP need the app's signing secret: set SLACK_SIGNING_SECRET, or set SLACK_APP_TOKEN to use Socket Mode"
            );
            return Ok(());
        }
        if self.config.app_token.is_none() {
            anyhow::bail!(
                "Socket Mode needs an app-level token: set SLACK_APP_TOKEN to the xapp-… token with the scope connections:write"
            );
        }
        match self.scheduler.api().open_connection().await {
            Err(error @ SlackError::Api { .. }) => Err(plain("app-level token", "SLACK_APP_TOKEN", &error)),
            _ => Ok(()),
        }
    }

    /// Listens until cancelled, then drains: handlers in flight finish and are acknowledged, and what
    /// goes out behind the answers goes out. Without Socket Mode it only waits and drains.
    ///
    /// # Errors
    /// At once and in plain words as [`SlackDoor::check_delivery`]; later only if a token was revoked.
    pub async fn run_socket(&self, cancel: CancellationToken) -> anyhow::Result<()> {
        self.check_delivery().await?;
        let result = if self.mode() == SlackMode::Http {
            cancel.cancelled().await;
            Ok(())
        } else {
            self.socket.run(cancel).await
        };
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
