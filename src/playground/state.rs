//! The workspace's whole truth: team, people, channels, messages, statuses, open views, files.
//!
//! Owns [`State`] and what changes in it are called ([`Change`]). Never speaks HTTP; what must reach
//! the bot is queued in `parcels` and leaves when the lock is released. Start at [`State`].

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

use crate::clock::{Clock, Timestamp};

use super::delivery::Parcel;
use super::message::{FileCard, Message, Stream};
use super::tickets::{ResponseUrl, Trigger};

/// Most messages kept; the oldest go first.
const MESSAGES_KEPT: usize = 100_000;

/// A person.
#[derive(Debug, Clone, Serialize)]
pub struct PersonCard {
    /// `U…`.
    pub id: String,
    /// Handle.
    pub name: String,
    /// Full name.
    pub real_name: String,
    /// Job title; the page shows it.
    pub title: String,
    /// Colour of the avatar.
    pub color: String,
}

/// A user group.
#[derive(Debug, Clone, Serialize)]
pub struct GroupCard {
    /// `S…`.
    pub id: String,
    /// What people mention, without `@`.
    pub handle: String,
    /// User ids.
    pub members: Vec<String>,
}

/// A channel or a direct message.
#[derive(Debug, Clone, Serialize)]
pub struct Channel {
    /// `C…` or `D…`.
    pub id: String,
    /// Name; for a direct message the person's name.
    pub name: String,
    /// `channel`, `private` or `im`.
    pub kind: String,
    /// User ids, the bot's included.
    pub members: Vec<String>,
    /// Topic.
    pub topic: String,
}

/// The team.
#[derive(Debug, Clone, Serialize)]
pub struct Team {
    /// `T…`.
    pub id: String,
    /// Name.
    pub name: String,
}

/// The app's bot.
#[derive(Debug, Clone, Serialize)]
pub struct Bot {
    /// `U…`.
    pub user_id: String,
    /// `B…`.
    pub bot_id: String,
    /// `A…`.
    pub app_id: String,
    /// Handle.
    pub name: String,
}

/// The agent session of one thread, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Channel id.
    pub channel: String,
    /// Thread.
    pub thread_ts: String,
    /// `processing`, `suspended`, `active` or `closed`.
    pub session_status: String,
    /// Line under the thread, or empty.
    pub status: String,
    /// Lines that rotate while working.
    pub loading_messages: Vec<String>,
    /// Whether Slack shows its own Stop.
    pub can_stop: bool,
    /// Title of the session.
    pub title: String,
}

/// An open modal of one person.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// `V…`.
    pub id: String,
    /// Who sees it.
    pub user: String,
    /// As the app sent it, with `id`, `hash` and `state`.
    pub view: Value,
    /// Errors of the last submission, by block.
    pub errors: Value,
    /// First view of the stack.
    #[serde(skip)]
    pub root: String,
    /// View below this one.
    #[serde(skip)]
    pub previous: Option<String>,
}

/// A file and its bytes.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// What messages show.
    pub card: FileCard,
    /// Who uploaded it.
    pub user: String,
    /// Content, once uploaded.
    pub bytes: Option<Vec<u8>>,
    /// Length announced.
    pub announced: usize,
    /// Whether completeUploadExternal was called.
    pub completed: bool,
}

/// Something that the page must learn.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// New or changed.
    Message {
        /// It.
        message: Box<Message>,
    },
    /// Gone.
    MessageDeleted {
        /// Channel.
        channel: String,
        /// Which.
        ts: String,
    },
    /// A session's status.
    Status {
        /// It.
        status: Status,
    },
    /// A modal opened or changed.
    View {
        /// It.
        view: Box<View>,
    },
    /// A modal closed.
    ViewClosed {
        /// Which.
        id: String,
        /// Whose.
        user: String,
    },
    /// A channel is new or changed.
    Channel {
        /// It.
        channel: Channel,
    },
    /// The banner.
    Notice {
        /// Its words.
        text: String,
    },
}

/// Everything. The public fields are what tests and the page look at.
#[derive(Debug, Serialize)]
pub struct State {
    /// The team.
    pub team: Team,
    /// The bot.
    pub bot: Bot,
    /// People, the bot not among them.
    pub people: Vec<PersonCard>,
    /// Channels and direct messages.
    pub channels: Vec<Channel>,
    /// User groups.
    pub groups: Vec<GroupCard>,
    /// Messages by channel and ts.
    #[serde(serialize_with = "values")]
    pub messages: BTreeMap<(String, String), Message>,
    /// Agent sessions.
    pub statuses: Vec<Status>,
    /// Open modals; the last of a person is on top.
    pub views: Vec<View>,
    /// The banner.
    pub notice: Option<String>,
    /// App homes by person.
    #[serde(skip)]
    pub homes: HashMap<String, Value>,
    /// Files by id.
    #[serde(skip)]
    pub files: BTreeMap<String, StoredFile>,
    /// Pinned messages: channel, ts.
    #[serde(skip)]
    pub pins: Vec<(String, String)>,
    /// Suggested prompts by channel and thread.
    #[serde(skip)]
    pub prompts: BTreeMap<(String, String), Value>,
    #[serde(skip)]
    pub(super) triggers: HashMap<String, Trigger>,
    #[serde(skip)]
    pub(super) response_urls: HashMap<String, ResponseUrl>,
    #[serde(skip)]
    pub(super) clock: Clock,
    #[serde(skip)]
    pub(super) base: String,
    #[serde(skip)]
    pub(super) subscriptions: Vec<String>,
    #[serde(skip)]
    pub(super) changes: Vec<Change>,
    #[serde(skip)]
    pub(super) parcels: VecDeque<Parcel>,
    /// Streams that may still take appends: channel, ts.
    #[serde(skip)]
    pub(super) open_streams: Vec<(String, String)>,
    #[serde(skip)]
    pub(super) last_ts: i64,
    #[serde(skip)]
    pub(super) minted: u64,
}

fn values<S: serde::Serializer>(
    map: &BTreeMap<(String, String), Message>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map.values())
}

impl State {
    /// The present moment of the workspace.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new message time stamp, later than every one before.
    pub fn next_ts(&mut self) -> String {
        self.last_ts = (self.now().0 * 1000).max(self.last_ts + 100);
        format!("{:010}.{:06}", self.last_ts / 1_000_000, self.last_ts % 1_000_000)
    }

    /// A new id.
    pub fn mint(&mut self, prefix: &str) -> String {
        self.minted += 1;
        format!("{prefix}0PG{:07}", self.minted)
    }

    /// The channel with this id.
    #[must_use]
    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|it| it.id == id)
    }

    /// The person with this id or name.
    #[must_use]
    pub fn person(&self, who: &str) -> Option<&PersonCard> {
        self.people.iter().find(|it| it.id == who || it.name == who)
    }

    /// Whether this channel has this member.
    #[must_use]
    pub fn is_member(&self, channel: &str, user: &str) -> bool {
        self.channel(channel).is_some_and(|it| it.members.iter().any(|id| id == user))
    }

    /// A name to show for a user id.
    #[must_use]
    pub fn name_of<'a>(&'a self, user: &'a str) -> &'a str {
        if user == self.bot.user_id {
            return &self.bot.name;
        }
        self.person(user).map_or(user, |it| &it.name)
    }

    /// One message.
    #[must_use]
    pub fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages.get(&(channel.to_owned(), ts.to_owned()))
    }

    /// One message, to change it; call [`State::touched`] afterwards.
    pub fn message_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.messages.get_mut(&(channel.to_owned(), ts.to_owned()))
    }

    /// All messages of a channel, oldest first.
    pub fn in_channel<'a>(&'a self, channel: &str) -> impl DoubleEndedIterator<Item = &'a Message> + use<'a> {
        let from = (channel.to_owned(), String::new());
        let to = (channel.to_owned(), "~".to_owned());
        self.messages.range(from..to).map(|(_, it)| it)
    }

    /// The root of a thread and its replies, oldest first.
    pub fn in_thread<'a>(&'a self, channel: &str, root: &str) -> impl Iterator<Item = &'a Message> + use<'a> {
        let root = root.to_owned();
        let from = (channel.to_owned(), root.clone());
        let to = (channel.to_owned(), "~".to_owned());
        self.messages.range(from..to).map(|(_, it)| it).filter(move |it| it.root() == root)
    }

    /// Keeps a message and tells the page.
    pub fn keep(&mut self, message: Message) {
        let key = (message.channel.clone(), message.ts.clone());
        self.messages.insert(key.clone(), message);
        if self.messages.len() > MESSAGES_KEPT
            && let Some(oldest) = self.messages.iter().min_by(|a, b| a.0.1.cmp(&b.0.1)).map(|it| it.0.clone())
        {
            self.messages.remove(&oldest);
        }
        self.touched(&key.0, &key.1);
    }

    /// Counts the pings of a changed message again and tells the page.
    pub fn touched(&mut self, channel: &str, ts: &str) {
        let Some(message) = self.message_mut(channel, ts) else { return };
        message.recount_pings();
        message.streaming = matches!(message.stream, Stream::Open(_));
        let message = Box::new(message.clone());
        self.changes.push(Change::Message { message });
    }

    /// Ends every stream that has become too old.
    pub fn expire_streams(&mut self) {
        let now = self.now();
        let open = std::mem::take(&mut self.open_streams);
        let (old, open): (Vec<_>, Vec<_>) = open
            .into_iter()
            .filter(|(channel, ts)| {
                self.message(channel, ts).is_some_and(|it| matches!(it.stream, Stream::Open(_)))
            })
            .partition(|(channel, ts)| self.message(channel, ts).is_some_and(|it| !it.streaming_at(now)));
        self.open_streams = open;
        for (channel, ts) in old {
            if let Some(message) = self.message_mut(&channel, &ts) {
                message.stream = Stream::Expired;
            }
            self.touched(&channel, &ts);
        }
    }

    /// The session of a thread, made if it has none.
    pub fn status_mut(&mut self, channel: &str, thread_ts: &str) -> &mut Status {
        let found = self.statuses.iter().position(|it| it.channel == channel && it.thread_ts == thread_ts);
        let index = found.unwrap_or_else(|| {
            self.statuses.push(Status {
                channel: channel.to_owned(),
                thread_ts: thread_ts.to_owned(),
                session_status: "active".into(),
                status: String::new(),
                loading_messages: Vec::new(),
                can_stop: false,
                title: String::new(),
            });
            self.statuses.len() - 1
        });
        &mut self.statuses[index]
    }
}
