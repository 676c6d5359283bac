//! One message of the workspace, as it is kept, as the page sees it, and as Slack puts it on the wire.
//!
//! Owns [`Message`] and its parts. Never decides who may change one. Start at [`Message::wire`].

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Timestamp;

use super::text;

/// How long Slack lets a stream live after its start, whatever is appended.
pub const STREAM_LIFE: std::time::Duration = std::time::Duration::from_secs(300);

/// Where a streamed message stands.
///
/// ```text
/// None                      (posted whole)
/// Open --stopStream--> Ended
/// Open --native Stop--> StoppedByUser
/// Open --five minutes--> Expired
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Never streamed.
    None,
    /// Takes appends; started at this moment.
    Open(Timestamp),
    /// Ended by the app.
    Ended,
    /// Ended by a person's Stop.
    StoppedByUser,
    /// Ended by Slack because it became too old.
    Expired,
}

/// One card of a streamed plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// The app's id for the task.
    pub id: String,
    /// What the task is.
    pub title: String,
    /// `pending`, `in_progress`, `complete` or `error`.
    pub status: String,
    /// Appended by every update.
    pub details: String,
    /// Appended by every update.
    pub output: String,
    /// Links, as sent.
    pub sources: Vec<Value>,
}

/// What a stream has said so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Chunks {
    /// All `markdown_text` in order.
    pub markdown: String,
    /// Title of the plan above the tasks.
    pub plan_title: Option<String>,
    /// Task cards in order of their first appearance.
    pub tasks: Vec<Task>,
    /// Blocks sent as chunks.
    pub blocks: Vec<Value>,
}

/// A reaction and who gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reaction {
    /// Name without colons.
    pub name: String,
    /// Ids of the users.
    pub users: Vec<String>,
}

/// A file as a message shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileCard {
    /// `F…`.
    pub id: String,
    /// File name.
    pub name: String,
    /// Shown title.
    pub title: String,
    /// Bytes.
    pub size: usize,
    /// Where it can be read, with the bot's token.
    pub url: String,
    /// Media type, by its ending.
    pub mimetype: String,
}

/// One message, ephemeral ones included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// Channel id.
    pub channel: String,
    /// Time stamp, unique in its channel.
    pub ts: String,
    /// Root of the thread; `None` for a message in the channel itself, roots included.
    pub thread_ts: Option<String>,
    /// Author's user id.
    pub user: String,
    /// Whether the bot wrote it.
    pub bot: bool,
    /// `text`, in Slack's wire format.
    pub text: String,
    /// `markdown_text`, if it was posted so.
    pub markdown_text: Option<String>,
    /// Blocks as sent, with the ids that Slack fills in.
    pub blocks: Vec<Value>,
    /// What a stream said.
    pub chunks: Chunks,
    /// Whether it still streams.
    pub streaming: bool,
    /// Whether it was changed after posting.
    pub edited: bool,
    /// Reactions.
    pub reactions: Vec<Reaction>,
    /// Files.
    pub files: Vec<FileCard>,
    /// The one person who sees it.
    pub ephemeral_to: Option<String>,
    /// Name that the app asked to be shown under.
    pub username: Option<String>,
    /// Mentions in it that notify somebody: user ids, `channel`, `here`, `everyone`, group ids.
    pub pings: Vec<String>,
    /// Whether a reply is also shown in the channel.
    pub broadcast: bool,
    /// `metadata` as sent.
    #[serde(skip)]
    pub metadata: Option<Value>,
    /// Slack's message subtype.
    #[serde(skip)]
    pub subtype: Option<String>,
    /// State of its stream.
    #[serde(skip)]
    pub stream: Stream,
    /// When it was last changed.
    #[serde(skip)]
    pub edited_ts: Option<String>,
}

impl Message {
    /// An empty message.
    #[must_use]
    pub fn new(channel: &str, ts: &str, user: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            ts: ts.to_owned(),
            thread_ts: None,
            user: user.to_owned(),
            bot: false,
            text: String::new(),
            markdown_text: None,
            blocks: Vec::new(),
            chunks: Chunks::default(),
            streaming: false,
            edited: false,
            reactions: Vec::new(),
            files: Vec::new(),
            ephemeral_to: None,
            username: None,
            pings: Vec::new(),
            broadcast: false,
            metadata: None,
            subtype: None,
            stream: Stream::None,
            edited_ts: None,
        }
    }

    /// The root of the thread that this message is in, or would open.
    #[must_use]
    pub fn root(&self) -> &str {
        self.thread_ts.as_deref().unwrap_or(&self.ts)
    }

    /// Whether it takes appends at this moment.
    #[must_use]
    pub fn streaming_at(&self, now: Timestamp) -> bool {
        matches!(self.stream, Stream::Open(since) if now.since(since) < STREAM_LIFE)
    }

    /// Everything it says, as one text.
    #[must_use]
    pub fn shown_text(&self) -> String {
        match &self.markdown_text {
            Some(markdown) => markdown.clone(),
            None if !self.chunks.markdown.is_empty() => self.chunks.markdown.clone(),
            None => self.text.clone(),
        }
    }

    /// Counts again whom this message notifies.
    pub fn recount_pings(&mut self) {
        let mut pings = text::pings(&self.text);
        pings.extend(text::pings(self.markdown_text.as_deref().unwrap_or_default()));
        pings.extend(text::pings(&self.chunks.markdown));
        for task in &self.chunks.tasks {
            for part in [&task.title, &task.details, &task.output] {
                pings.extend(text::pings(part));
            }
        }
        for block in self.blocks.iter().chain(&self.chunks.blocks) {
            text::pings_in_block(block, &mut pings);
        }
        pings.sort();
        pings.dedup();
        self.pings = pings;
    }

    /// Slack's own form of the message, without what only a look at the whole channel can tell.
    #[must_use]
    pub fn wire(&self, team: &str, bot_id: &str, app_id: &str) -> Value {
        let mut wire = json!({
            "type": "message", "user": self.user, "text": self.shown_text(), "ts": self.ts, "team": team,
        });
        let Some(map) = wire.as_object_mut() else { return wire };
        if self.bot {
            map.insert("bot_id".into(), bot_id.into());
            map.insert("app_id".into(), app_id.into());
            map.insert(
                "bot_profile".into(),
                json!({"id": bot_id, "app_id": app_id, "name": self.username.as_deref().unwrap_or("ml-intern"),
                       "deleted": false, "updated": 0, "team_id": team, "icons": {}}),
            );
            map.insert("blocks".into(), Value::Array(self.wire_blocks()));
        } else {
            map.insert("client_msg_id".into(), format!("msg-{}-{}", self.channel, self.ts).into());
            map.insert("blocks".into(), json!([text::rich_text(&self.text, &self.ts)]));
        }
        if let Some(username) = &self.username {
            map.insert("username".into(), username.clone().into());
        }
        if let Some(subtype) = &self.subtype {
            map.insert("subtype".into(), subtype.clone().into());
        }
        if let Some(thread_ts) = &self.thread_ts {
            map.insert("thread_ts".into(), thread_ts.clone().into());
        }
        if let Some(at) = &self.edited_ts {
            map.insert("edited".into(), json!({"user": self.user, "ts": at}));
        }
        if !self.files.is_empty() {
            map.insert("files".into(), self.files.iter().map(FileCard::wire).collect());
        }
        if !self.reactions.is_empty() {
            let reactions = self
                .reactions
                .iter()
                .map(|it| json!({"name": it.name, "users": it.users, "count": it.users.len()}));
            map.insert("reactions".into(), reactions.collect());
        }
        wire
    }

    fn wire_blocks(&self) -> Vec<Value> {
        let markdown = self.markdown_text.as_ref().map(|it| json!({"type": "markdown", "text": it}));
        markdown
            .into_iter()
            .chain(self.chunks.blocks.iter().cloned())
            .chain(self.blocks.iter().cloned())
            .collect()
    }
}

impl FileCard {
    /// Slack's file object, short form.
    #[must_use]
    pub fn wire(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "title": self.title, "mimetype": self.mimetype, "size": self.size,
            "filetype": self.name.rsplit('.').next().unwrap_or("text"), "mode": "hosted", "is_external": false,
            "url_private": self.url, "url_private_download": self.url, "permalink": self.url,
        })
    }
}
