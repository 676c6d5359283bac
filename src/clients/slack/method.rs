//! The Web API methods that we call: their names, how they take arguments, how often they may be called.

/// One Web API method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the Slack method of that name")]
pub enum Method {
    AuthTest,
    ConnectionsOpen,
    PostMessage,
    Update,
    Delete,
    PostEphemeral,
    GetPermalink,
    StartStream,
    AppendStream,
    StopStream,
    SessionSetStatus,
    SessionRename,
    ThreadSetStatus,
    Replies,
    History,
    ConversationInfo,
    ConversationOpen,
    UsersInfo,
    GroupList,
    GroupMembers,
    ReactionsAdd,
    ViewsOpen,
    ViewsUpdate,
    GetUploadUrl,
    CompleteUpload,
}

/// How a method takes its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// POST with a JSON body.
    Json,
    /// GET with a query: the method refuses JSON.
    Query,
}

impl Method {
    /// Slack's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthTest => "auth.test",
            Self::ConnectionsOpen => "apps.connections.open",
            Self::PostMessage => "chat.postMessage",
            Self::Update => "chat.update",
            Self::Delete => "chat.delete",
            Self::PostEphemeral => "chat.postEphemeral",
            Self::GetPermalink => "chat.getPermalink",
            Self::StartStream => "chat.startStream",
            Self::AppendStream => "chat.appendStream",
            Self::StopStream => "chat.stopStream",
            Self::SessionSetStatus => "agents.sessions.setStatus",
            Self::SessionRename => "agents.sessions.rename",
            Self::ThreadSetStatus => "assistant.threads.setStatus",
            Self::Replies => "conversations.replies",
            Self::History => "conversations.history",
            Self::ConversationInfo => "conversations.info",
            Self::ConversationOpen => "conversations.open",
            Self::UsersInfo => "users.info",
            Self::GroupList => "usergroups.list",
            Self::GroupMembers => "usergroups.users.list",
            Self::ReactionsAdd => "reactions.add",
            Self::ViewsOpen => "views.open",
            Self::ViewsUpdate => "views.update",
            Self::GetUploadUrl => "files.getUploadURLExternal",
            Self::CompleteUpload => "files.completeUploadExternal",
        }
    }

    pub(super) fn encoding(self) -> Encoding {
        match self {
            Self::GetPermalink
            | Self::Replies
            | Self::History
            | Self::ConversationInfo
            | Self::UsersInfo
            | Self::GroupList
            | Self::GroupMembers
            | Self::GetUploadUrl => Encoding::Query,
            _ => Encoding::Json,
        }
    }

    /// Calls a minute that Slack promises to a workspace's app. Messages have a limit per channel besides.
    pub(super) fn per_minute(self) -> u32 {
        match self {
            Self::StartStream | Self::StopStream | Self::GroupList | Self::GroupMembers => 20,
            Self::ConnectionsOpen
            | Self::Update
            | Self::Delete
            | Self::SessionSetStatus
            | Self::SessionRename
            | Self::Replies
            | Self::History
            | Self::ConversationInfo
            | Self::ConversationOpen
            | Self::ReactionsAdd => 50,
            Self::AppendStream
            | Self::PostEphemeral
            | Self::UsersInfo
            | Self::ViewsOpen
            | Self::ViewsUpdate
            | Self::GetUploadUrl
            | Self::CompleteUpload => 100,
            Self::PostMessage | Self::ThreadSetStatus | Self::AuthTest | Self::GetPermalink => 600,
        }
    }

    /// Whether it puts a new message into a channel, which Slack limits to about one a second there.
    pub(super) fn makes_message(self) -> bool {
        matches!(self, Self::PostMessage | Self::PostEphemeral | Self::StartStream)
    }

    /// Whether doing it twice shows people the same as doing it once, so that a lost answer may be
    /// met with the same request again.
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        !matches!(
            self,
            Self::PostMessage
                | Self::PostEphemeral
                | Self::StartStream
                | Self::AppendStream
                | Self::StopStream
                | Self::CompleteUpload
                | Self::ViewsOpen
        )
    }
}
