//! What Slack hands out for a short while: trigger ids and response URLs.
//!
//! Start at [`State::new_trigger`] and [`State::new_response_url`].

use crate::clock::Timestamp;

use super::state::State;

/// A `trigger_id`: once, and within three seconds.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Who caused it.
    pub user: String,
    /// When.
    pub at: Timestamp,
    /// Whether a view was opened with it.
    pub used: bool,
    /// The modal it came from.
    pub view: Option<String>,
}

/// A `response_url`: five times within thirty minutes.
#[derive(Debug, Clone)]
pub struct ResponseUrl {
    /// Channel to answer in.
    pub channel: String,
    /// Message that was clicked.
    pub message: Option<String>,
    /// Thread of that message.
    pub thread_ts: Option<String>,
    /// Who caused it.
    pub user: String,
    /// When.
    pub at: Timestamp,
    /// Uses so far.
    pub uses: u32,
}

impl State {
    /// A new trigger of this person, good for three seconds and one view.
    pub fn new_trigger(&mut self, user: &str, view: Option<&str>) -> String {
        let now = self.now();
        self.triggers.retain(|_, it| now.since(it.at).as_secs() < 600);
        self.minted += 1;
        let id = format!("{}.{}.{}", now.0, self.minted, uuid::Uuid::new_v4().simple());
        let trigger = Trigger { user: user.into(), at: now, used: false, view: view.map(str::to_owned) };
        self.triggers.insert(id.clone(), trigger);
        id
    }

    /// A new response URL, good for five answers within thirty minutes.
    pub fn new_response_url(&mut self, channel: &str, message: Option<&str>, user: &str) -> String {
        let now = self.now();
        self.response_urls.retain(|_, it| now.since(it.at).as_secs() < 3600);
        let secret = uuid::Uuid::new_v4().simple().to_string();
        let thread_ts = message.and_then(|ts| self.message(channel, ts)).and_then(|it| it.thread_ts.clone());
        let entry = ResponseUrl {
            channel: channel.into(),
            message: message.map(str::to_owned),
            thread_ts,
            user: user.into(),
            at: now,
            uses: 0,
        };
        self.response_urls.insert(secret.clone(), entry);
        format!("{}/actions/{}/{secret}", self.base, self.team.id)
    }
}
