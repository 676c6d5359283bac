//! The workspace as tests and the command line hold it: start it, act in it, look at it, stop it.
//!
//! Owns [`Workspace`]. Start at [`Workspace::start`].

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::acts::{ActError, find_channel};
use super::delivery::{AckRecord, Delivery, Endpoints, Webhooks, dispatch};
use super::faults::Fault;
use super::message::Message;
use super::options::{Options, seed};
use super::people::Person;
use super::shared::{CallRecord, Setup, Shared, lock};
use super::state::{Change, State, Status, View};
use super::{control, http, transcript};

/// A running workspace. Stops when dropped.
#[derive(Debug)]
pub struct Workspace {
    shared: Arc<Shared>,
    webhooks: Option<Arc<Webhooks>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Workspace {
    /// Binds to loopback and starts serving.
    ///
    /// # Errors
    /// The port is taken, or the HTTP client of signed delivery cannot be built.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let address = (std::net::Ipv4Addr::LOCALHOST, options.port);
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .with_context(|| format!("port {} on loopback", options.port))?;
        let port = listener.local_addr()?.port();
        let webhooks = match &options.delivery {
            Delivery::Socket => None,
            Delivery::Http { events, interactivity, commands } => {
                let endpoints = Endpoints {
                    events: events.clone(),
                    interactivity: interactivity.clone(),
                    commands: commands.clone(),
                };
                Some(Arc::new(Webhooks::new(endpoints)?))
            }
        };
        let setup = Setup {
            scopes: options.scopes.clone(),
            budgets: options.budgets,
            redelivery: options.redelivery,
            ack_within: options.ack_within,
            port,
        };
        let shared = Shared::new(seed(&options, port), setup);
        let stop = shared.stop.clone();
        let router = http::router(shared.clone());
        let server = async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "the playground's server ended");
            }
        };
        let tasks = vec![tokio::spawn(server), tokio::spawn(dispatch(shared.clone(), webhooks.clone()))];
        Ok(Self { shared, webhooks, tasks })
    }

    /// Stops serving, cuts connections and waits for the server to end.
    pub async fn shutdown(mut self) {
        self.shared.stop.cancel();
        self.shared.hub.drop_all();
        for mut task in self.tasks.drain(..) {
            if tokio::time::timeout(Duration::from_secs(2), &mut task).await.is_err() {
                task.abort();
            }
        }
    }

    /// Asks the events address to prove itself (`url_verification`); nothing to ask over a socket.
    ///
    /// # Errors
    /// It does not answer, or not with the challenge.
    pub async fn verify_events(&self) -> anyhow::Result<()> {
        match &self.webhooks {
            Some(webhooks) => webhooks.verify(&self.shared).await,
            None => Ok(()),
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.shared.port)
    }

    /// Base of the Web API, without a slash at its end.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/api", self.url())
    }

    /// The page's address, with the control token in its fragment.
    #[must_use]
    pub fn page_url(&self) -> String {
        format!("{}/#token={}", self.url(), self.control_token())
    }

    /// `xoxb-…`.
    #[must_use]
    pub fn bot_token(&self) -> &str {
        &self.shared.secrets.bot_token
    }

    /// `xapp-…`.
    #[must_use]
    pub fn app_token(&self) -> &str {
        &self.shared.secrets.app_token
    }

    /// Key of signed delivery.
    #[must_use]
    pub fn signing_secret(&self) -> &str {
        &self.shared.secrets.signing_secret
    }

    /// Token of the control API.
    #[must_use]
    pub fn control_token(&self) -> &str {
        &self.shared.secrets.control_token
    }

    /// All that a client needs, as one JSON object: what `ml-intern playground --json` prints.
    #[must_use]
    pub fn card(&self) -> Value {
        json!({"url": self.url(), "api_url": self.api_url(), "bot_token": self.bot_token(), "app_token": self.app_token(),
            "signing_secret": self.signing_secret(), "control_token": self.control_token(), "page_url": self.page_url()})
    }

    /// The bot's user id.
    #[must_use]
    pub fn bot_user_id(&self) -> String {
        self.look(|it| it.bot.user_id.clone())
    }

    /// A person to act as, by name or id.
    #[must_use]
    pub fn person<'a>(&'a self, name: &'a str) -> Person<'a> {
        Person::new(self, name)
    }

    /// Looks at the whole state; nothing changes while `look` runs.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.shared.look(look)
    }

    /// Waits until `look` finds something, or `within` (real time) is over.
    pub async fn until<T>(&self, within: Duration, mut look: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let mut version = self.shared.version.subscribe();
        let search = async {
            loop {
                version.mark_unchanged();
                if let Some(found) = self.shared.look(&mut look) {
                    return Some(found);
                }
                version.changed().await.ok()?;
            }
        };
        tokio::time::timeout(within, search).await.ok().flatten()
    }

    /// Id of a channel given by name (with or without `#`) or id; what was given if there is none.
    #[must_use]
    pub fn channel_id(&self, channel: &str) -> String {
        self.look(|it| find_channel(it, channel)).unwrap_or_else(|_| channel.to_owned())
    }

    /// All messages of a channel, threads included, oldest first.
    #[must_use]
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        let channel = self.channel_id(channel);
        self.look(|it| it.in_channel(&channel).cloned().collect())
    }

    /// A thread's root and replies, oldest first.
    #[must_use]
    pub fn thread(&self, channel: &str, root: &str) -> Vec<Message> {
        let channel = self.channel_id(channel);
        self.look(|it| it.in_thread(&channel, root).cloned().collect())
    }

    /// The modal on top of this person's screen.
    #[must_use]
    pub fn open_view(&self, person: &str) -> Option<View> {
        self.look(|it| {
            let user = &it.person(person)?.id;
            it.views.iter().rev().find(|view| view.user == *user).cloned()
        })
    }

    /// Agent sessions.
    #[must_use]
    pub fn statuses(&self) -> Vec<Status> {
        self.look(|it| it.statuses.clone())
    }

    /// Everything that the bot asked of the Web API, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRecord> {
        self.shared.calls()
    }

    /// Every acknowledgement, and every parcel given up.
    #[must_use]
    pub fn ack_times(&self) -> Vec<AckRecord> {
        self.shared.acks()
    }

    /// Open Socket Mode connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.hub.open()
    }

    /// Waits until so many connections are open.
    pub async fn connected(&self, count: usize, within: Duration) -> bool {
        let wait = async {
            loop {
                let opened = self.shared.hub.opened();
                if self.connections() >= count {
                    return;
                }
                opened.await;
            }
        };
        tokio::time::timeout(within, wait).await.is_ok()
    }

    /// Puts a fault in force; those of the socket strike at once.
    pub async fn fault(&self, fault: Fault) {
        control::cause(&self.shared, fault).await;
    }

    /// Faults still in force.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.shared.faults).list()
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        control::clear(&self.shared);
    }

    /// Shows a banner on the page.
    pub fn notice(&self, text: &str) {
        self.shared.with(|it| {
            it.notice = Some(text.to_owned());
            it.changes.push(Change::Notice { text: text.to_owned() });
        });
    }

    /// A thread as plain text, as people see it.
    #[must_use]
    pub fn transcript(&self, channel: &str, root: &str) -> String {
        let channel = self.channel_id(channel);
        self.look(|it| transcript::transcript(it, &channel, root))
    }

    /// Block id, action id and value of the button that shows `label` (or has that action id).
    pub(super) fn find_button(
        &self,
        channel: &str,
        ts: &str,
        label: &str,
    ) -> Result<(String, String, Option<Value>), ActError> {
        self.look(|state| {
            let Some(message) = state.message(channel, ts) else {
                return Err(ActError("there is no such message".into()));
            };
            let blocks = message.chunks.blocks.iter().chain(&message.blocks);
            let found = blocks.into_iter().find_map(|block| button(block, label));
            found.ok_or_else(|| ActError(format!("this message has no button “{label}”")))
        })
    }
}

fn button(block: &Value, label: &str) -> Option<(String, String, Option<Value>)> {
    let lists = ["elements", "actions"].iter().filter_map(|it| block[*it].as_array()).flatten();
    for element in lists.chain(block.get("accessory")) {
        let place = |value| {
            let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
            Some((text(&block["block_id"]), text(&element["action_id"]), value))
        };
        for side in ["positive_button", "negative_button"] {
            if element[side]["text"]["text"] == label {
                return place(Some(element[side]["value"].clone()));
            }
        }
        if element["text"]["text"] == label || element["action_id"] == label {
            return place(None);
        }
    }
    let inner = ["child_blocks", "elements"].iter().filter_map(|it| block[*it].as_array()).flatten();
    inner.filter(|it| it["block_id"].is_string()).find_map(|it| button(it, label))
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.shared.hub.drop_all();
        for task in &self.tasks {
            task.abort();
        }
    }
}
