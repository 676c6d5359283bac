//! `serve`: the Slack bot, by roles, with an orderly end.
//!
//! `listen` takes events in, `work` moves sessions, `tick` delivers what is due. At SIGTERM: stop
//! listening and claiming, finish the steps in hand within the drain time, let go of the rest (they
//! are resumed by the next process), flush, exit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{App, SessionFolders, health};
use crate::protocol::Door;
use crate::slack::SlackDoor;
use crate::store::Claimable;

/// What one process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Takes events in.
    pub listen: bool,
    /// Moves sessions.
    pub work: bool,
    /// Delivers what is due.
    pub tick: bool,
}

impl Roles {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self { listen: true, work: true, tick: true }
    }

    /// From a list such as `listen,work`.
    ///
    /// # Errors
    /// Names the word that is no role.
    pub fn parse(list: &str) -> anyhow::Result<Self> {
        let mut roles = Self { listen: false, work: false, tick: false };
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "listen" => roles.listen = true,
                "work" => roles.work = true,
                "tick" => roles.tick = true,
                other => anyhow::bail!("`{other}` is no role; the roles are listen, work and tick"),
            }
        }
        anyhow::ensure!(roles.listen || roles.work || roles.tick, "name at least one of listen, work, tick");
        Ok(roles)
    }
}

/// A bot that is up; tests and the playground start it, `serve` waits for it.
pub struct Serving {
    /// Where it listens for health, metrics and Slack's HTTP deliveries.
    pub address: SocketAddr,
    stop: CancellationToken,
    suspend: CancellationToken,
    tasks: TaskTracker,
    drain: Duration,
}

impl Serving {
    /// Stops listening and claiming, waits for the steps in hand up to the drain time, then lets go.
    pub async fn stop(&self) {
        self.stop.cancel();
        if tokio::time::timeout(self.drain, self.tasks.wait()).await.is_err() {
            tracing::warn!("the drain time is over; steps in hand are let go and resumed at the next start");
            self.suspend.cancel();
            // What is let go ends at once; a task that does not must not hold the process.
            let _ = tokio::time::timeout(Duration::from_secs(3), self.tasks.wait()).await;
        }
    }

    /// Waits until every part has ended by itself (tokens revoked, for example).
    pub async fn ended(&self) {
        self.tasks.wait().await;
    }

    /// Lets go of everything at once, as a lost process would.
    pub async fn abandon(&self) {
        self.suspend.cancel();
        self.stop.cancel();
        let _ = tokio::time::timeout(Duration::from_secs(3), self.tasks.wait()).await;
    }
}

impl App {
    /// Starts the bot on an already connected Slack door.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn serve(self: Arc<Self>, door: Arc<SlackDoor>, roles: Roles) -> anyhow::Result<Serving> {
        let bind = &self.config.server.bind;
        let listener = TcpListener::bind(bind)
            .await
            .with_context(|| format!("cannot listen on {bind}; if another process is there, choose another address with --bind or server.bind"))?;
        let address = listener.local_addr()?;
        let serving = Serving {
            address,
            stop: CancellationToken::new(),
            suspend: CancellationToken::new(),
            tasks: TaskTracker::new(),
            drain: Duration::from_secs(self.config.server.drain_s),
        };
        door.take_tokens(self.tokens.clone());
        if let Some(token) = &self.config.slack.bot_token {
            self.outgoing.schedule(token.clone(), door.scheduler());
        }
        self.spawn_http(&serving, listener, &door, roles);
        if roles.listen {
            let (door, stop, whole) = (door.clone(), serving.stop.clone(), serving.stop.clone());
            serving.tasks.spawn(async move {
                if let Err(error) = door.run_socket(stop).await {
                    tracing::error!(error = format!("{error:#}"), "Socket Mode ended for good");
                    whole.cancel();
                }
            });
        }
        if roles.work {
            let places = Arc::new(SessionFolders::of(&self.data_dir));
            let worker = self.worker(Door::Slack, door.presenters(), places, serving.suspend.clone());
            let stop = serving.stop.clone();
            serving.tasks.spawn(async move { worker.run(Claimable::Behind(Door::Slack), stop).await });
        }
        self.show_jobs(Door::Slack, door.board());
        if roles.tick {
            let (app, stop) = (self.clone(), serving.stop.clone());
            serving.tasks.spawn(async move { app.tick(stop).await });
        }
        serving.tasks.close();
        Ok(serving)
    }

    fn spawn_http(&self, serving: &Serving, listener: TcpListener, door: &Arc<SlackDoor>, roles: Roles) {
        health::recorder();
        let connected: Box<dyn Fn() -> bool + Send + Sync> = if roles.listen {
            let door = door.clone();
            Box::new(move || door.is_connected())
        } else {
            Box::new(|| true)
        };
        let health = health::Health { store: self.store(), connected, stopping: serving.stop.clone() };
        let mut routes = health::routes(Arc::new(health));
        if roles.listen {
            routes = routes.merge(door.http_routes());
        }
        let stop = serving.stop.clone();
        serving.tasks.spawn(async move {
            let server = axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned());
            if let Err(error) = server.await {
                tracing::error!(%error, "the HTTP server failed");
                stop.cancel();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named() {
        assert_eq!(Roles::parse("listen, work,tick").unwrap(), Roles::all());
        assert_eq!(Roles::parse("tick").unwrap(), Roles { listen: false, work: false, tick: true });
        assert!(Roles::parse("work,talk").unwrap_err().to_string().contains("`talk`"));
        assert!(Roles::parse(",").is_err());
    }
}
