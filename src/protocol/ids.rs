//! Names of things: newtypes over strings, never parsed back.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

id! {
    /// Which session: computed from where the conversation is by one function per front door.
    SessionKey
}
impl SessionKey {
    /// The session of a terminal with this id: the one function that makes such a key.
    #[must_use]
    pub fn of_terminal(id: &str) -> Self {
        Self(format!("terminal:{id}"))
    }
}
id! {
    /// Which operation: made from its cause, so that a redelivery has the same id.
    OperationId
}
id! {
    /// One request until its answer.
    TurnId
}
id! {
    /// One tool call, as the model named it; unique within a session.
    CallId
}
id! {
    /// One question to people.
    ApprovalId
}
id! {
    /// A person, as the front door knows them (a Slack user id; `local` in a terminal).
    PersonId
}
id! {
    /// One piece of external work: `job:NAMESPACE/ID`, `space:OWNER/NAME`.
    TicketId
}
