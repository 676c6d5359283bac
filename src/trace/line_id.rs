//! The name of one line: made from session, role and place, so that writing again gives the same.

use sha1::{Digest, Sha1};

/// Who a line is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A person, or the loop on a person's behalf.
    User,
    /// The model.
    Assistant,
    /// A tool's result.
    Tool,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// The line's name: SHA-1 of `session::role::index`, laid out like a UUID. The index counts the system
/// prompt, which is never written, as 0, so that names are those that ml-intern gave.
#[must_use]
pub fn line_id(session: &str, role: Role, index: usize) -> String {
    let hash = hex::encode(Sha1::digest(format!("{session}::{}::{index}", role.word())));
    format!("{}-{}-{}-{}-{}", &hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32])
}
