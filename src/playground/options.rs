//! How a workspace starts: who is there, how the bot is reached, what is held to Slack's measure.
//!
//! Owns [`Options`] and the state that it makes. Start at [`Options::new`].

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Clock;

use super::delivery::{Delivery, Redelivery};
use super::events;
use super::state::{Bot, Channel, GroupCard, PersonCard, State, Team};

/// Whether methods are held to Slack's budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budgets {
    /// As often as one likes.
    Unlimited,
    /// 429 past a method's tier.
    AsSlack,
}

/// Somebody to seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonSeed {
    /// Handle; the id is made from it.
    pub name: String,
    /// Full name.
    pub real_name: String,
    /// Title.
    pub title: String,
}

/// A channel to seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSeed {
    /// Name, without `#`.
    pub name: String,
    /// `channel` or `private`.
    pub kind: String,
    /// Topic.
    pub topic: String,
    /// Names of members; the bot by its own name.
    pub members: Vec<String>,
}

/// A user group to seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSeed {
    /// What people mention, without `@`; the id is made from it.
    pub handle: String,
    /// Names of members.
    pub members: Vec<String>,
}

/// How a workspace starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Where the workspace's time comes from: ts, triggers, streams, budgets. The wait for
    /// acknowledgements is real time.
    pub clock: Clock,
    /// People.
    pub people: Vec<PersonSeed>,
    /// Channels.
    pub channels: Vec<ChannelSeed>,
    /// User groups.
    pub groups: Vec<GroupSeed>,
    /// The bot's handle.
    pub bot_name: String,
    /// How the bot is reached.
    pub delivery: Delivery,
    /// What becomes of unacknowledged parcels.
    pub redelivery: Redelivery,
    /// Whether Slack's budgets hold.
    pub budgets: Budgets,
    /// Scopes of the bot's token.
    pub scopes: Vec<String>,
    /// Events that the app subscribes to.
    pub subscriptions: Vec<String>,
    /// How long an acknowledgement may take.
    pub ack_within: Duration,
    /// Banner of the page.
    pub notice: Option<String>,
}

impl Options {
    /// Alice and Bob who may approve, Mallory who may not, `#ml-experiments` and `#general`.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let person = |name: &str, real_name: &str, title: &str| PersonSeed {
            name: name.into(),
            real_name: real_name.into(),
            title: title.into(),
        };
        let everyone = || ["alice", "bob", "mallory", "ml-intern"].map(str::to_owned).to_vec();
        let channel = |name: &str, topic: &str| ChannelSeed {
            name: name.into(),
            kind: "channel".into(),
            topic: topic.into(),
            members: everyone(),
        };
        Self {
            port: 0,
            clock,
            people: vec![
                person("alice", "Alice Moreau", "ML engineer, may approve"),
                person("bob", "Bob Lindqvist", "Research lead, may approve"),
                person("mallory", "Mallory Reyes", "Visitor, may not approve"),
            ],
            channels: vec![
                channel("ml-experiments", "Training runs, datasets, results"),
                channel("general", "Everything else"),
            ],
            groups: vec![GroupSeed { handle: "leads".into(), members: vec!["bob".into()] }],
            bot_name: "ml-intern".into(),
            delivery: Delivery::Socket,
            redelivery: Redelivery::AsSlack,
            budgets: Budgets::Unlimited,
            scopes: SCOPES.iter().map(|it| (*it).to_owned()).collect(),
            subscriptions: events::SUBSCRIPTIONS.iter().map(|it| (*it).to_owned()).collect(),
            ack_within: Duration::from_secs(3),
            notice: None,
        }
    }
}

const SCOPES: &[&str] = &[
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "chat:write.customize",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "pins:read",
    "pins:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
];
const COLORS: &[&str] = &["#1264a3", "#2b8a3e", "#c2410c", "#7c3aed", "#0f766e", "#be185d"];

fn user_id(name: &str) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("U0{:0<9}", letters.to_ascii_uppercase())
}

/// The state of a fresh workspace.
pub(super) fn seed(options: &Options, port: u16) -> State {
    let bot = Bot {
        user_id: user_id(&options.bot_name),
        bot_id: "B0PLAYGRND1".into(),
        app_id: "A0PLAYGRND1".into(),
        name: options.bot_name.clone(),
    };
    let people = options.people.iter().zip(COLORS.iter().cycle()).map(|(it, color)| PersonCard {
        id: user_id(&it.name),
        name: it.name.clone(),
        real_name: it.real_name.clone(),
        title: it.title.clone(),
        color: (*color).into(),
    });
    let channels = options.channels.iter().enumerate().map(|(index, it)| Channel {
        id: format!("C0PLAYGR{:03}", index + 1),
        name: it.name.clone(),
        kind: it.kind.clone(),
        topic: it.topic.clone(),
        members: it.members.iter().map(|name| user_id(name)).collect(),
    });
    let groups = options.groups.iter().map(|it| GroupCard {
        id: format!("S0{:0<9}", it.handle.to_ascii_uppercase()),
        handle: it.handle.clone(),
        members: it.members.iter().map(|name| user_id(name)).collect(),
    });
    let mut state = State {
        team: Team { id: "T0PLAYGRND1".into(), name: "Playground".into() },
        bot,
        people: people.collect(),
        channels: channels.collect(),
        groups: groups.collect(),
        messages: BTreeMap::new(),
        statuses: Vec::new(),
        views: Vec::new(),
        notice: options.notice.clone(),
        homes: HashMap::new(),
        files: BTreeMap::new(),
        pins: Vec::new(),
        prompts: BTreeMap::new(),
        triggers: HashMap::new(),
        response_urls: HashMap::new(),
        clock: options.clock.clone(),
        base: format!("http://127.0.0.1:{port}"),
        subscriptions: options.subscriptions.clone(),
        changes: Vec::new(),
        parcels: VecDeque::new(),
        open_streams: Vec::new(),
        last_ts: 0,
        minted: 0,
    };
    let names: Vec<_> = state.people.iter().map(|it| it.id.clone()).collect();
    for user in names {
        events::im_with(&mut state, &user);
    }
    state.changes.clear();
    state
}
