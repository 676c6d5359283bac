//! `serve`: the Slack bot, until it is told to stop.
//!
//! Owns the signals: the first SIGTERM or Ctrl+C ends in order within the drain time, the second one
//! leaves at once. Everything else is `app`'s.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::args::{Flags, Role, ServeArgs};
use super::exit::Exit;
use super::terminal::parts;
use crate::app::{App, Roles};
use crate::config::{Loaded, SlackConfig, SlackMode};
use crate::slack::SlackDoor;
use crate::store::embedded::Embedded;

/// How long notices may take to go out at the end.
const FLUSH: Duration = Duration::from_secs(5);

/// How long the process may take to be gone after the drain time: letting go, then flushing.
const AFTER_DRAIN_S: u64 = 3 + FLUSH.as_secs();

/// Serves until told to stop.
///
/// # Errors
/// The store is held by another process, a token is missing or refused, or the address is taken.
pub async fn run(what: &ServeArgs, loaded: &Loaded, flags: &Flags) -> anyhow::Result<Exit> {
    let slack = &loaded.config.slack;
    if slack.bot_token.is_none() {
        eprintln!(
            "ml-intern: serve needs SLACK_BOT_TOKEN, and SLACK_APP_TOKEN or SLACK_SIGNING_SECRET; `ml-intern manifest` \
             makes an app, `ml-intern doctor` checks it, `ml-intern playground` needs none of it"
        );
        return Ok(Exit::Usage);
    }
    if what.roles.contains(&Role::Listen)
        && let Some(missing) = deaf(slack)
    {
        eprintln!("ml-intern: {missing}; `ml-intern doctor` says where to find it");
        return Ok(Exit::Usage);
    }
    let _hold = Embedded::hold(&loaded.config.data_dir(), "ml-intern serve")?;
    let app = Arc::new(App::open(parts(loaded, flags))?);
    let mut signals = Signals::listen()?;
    let door = tokio::select! {
        door = SlackDoor::connect(slack, app.config().approvals.groups(), app.intake(), app.clock().clone(), app.random().clone()) => door?,
        () = signals.next() => return Ok(Exit::Interrupted),
    };
    let door = Arc::new(door);
    let roles = Roles {
        listen: what.roles.contains(&Role::Listen),
        work: what.roles.contains(&Role::Work),
        tick: what.roles.contains(&Role::Tick),
    };
    let serving = app.clone().serve(door.clone(), roles).await?;
    tracing::info!(address = %serving.address, team = %door.identity().team_name, "serving; SIGTERM or Ctrl+C stops");
    tokio::select! {
        () = serving.ended() => {
            app.close().await;
            anyhow::bail!("the bot ended by itself; the log says why");
        }
        () = signals.next() => {}
    }
    tracing::info!(
        within_s = loaded.config.server.drain_s + AFTER_DRAIN_S,
        "stopping: steps in hand end or are suspended; a second signal leaves at once"
    );
    tokio::select! {
        () = serving.stop() => {}
        () = signals.next() => return Ok(Exit::Interrupted),
    }
    // What does not go out in time is in the store, and goes out at the next start.
    let _ = tokio::time::timeout(FLUSH, app.flush_notices()).await;
    app.close().await;
    tracing::info!("stopped");
    Ok(Exit::Finished)
}

/// Why no event could ever reach this process; `None` if one can.
fn deaf(slack: &SlackConfig) -> Option<&'static str> {
    match (slack.mode, &slack.app_token, &slack.signing_secret) {
        (SlackMode::Auto, None, None) => Some(
            "to hear of events serve needs SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (over HTTP)",
        ),
        (SlackMode::Socket, None, _) => Some("slack.mode is socket, which needs SLACK_APP_TOKEN"),
        (SlackMode::Http, _, None) => Some("slack.mode is http, which needs SLACK_SIGNING_SECRET"),
        _ => None,
    }
}

/// Wishes of the operating system or the person that this process ends.
pub(super) struct Signals(tokio::sync::mpsc::Receiver<()>);

impl Signals {
    pub(super) fn listen() -> anyhow::Result<Self> {
        let (send, receive) = tokio::sync::mpsc::channel(4);
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
                let mut signal = signal(kind).context("signals cannot be listened to")?;
                let send = send.clone();
                tokio::spawn(async move {
                    while signal.recv().await.is_some() {
                        if send.send(()).await.is_err() {
                            break;
                        }
                    }
                });
            }
        }
        #[cfg(not(unix))]
        tokio::spawn(
            async move { while tokio::signal::ctrl_c().await.is_ok() && send.send(()).await.is_ok() {} },
        );
        Ok(Self(receive))
    }

    pub(super) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
