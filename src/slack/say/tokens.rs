//! What the bot says about people's own Hub tokens. A token is never part of it.

use super::escape_mrkdwn;
use crate::slack::tokens::{Given, Held, Removed};

/// Where tokens are made.
const SETTINGS: &str = "https://huggingface.co/settings/tokens";

/// A token in a channel.
pub const TOKEN_IN_CHANNEL: &str = ":warning: *Please revoke that token now*: everybody here could read it, so I did not keep it. \
Delete your message, revoke the token at https://huggingface.co/settings/tokens, make a new one, and send me `!token hf_…` in a \
direct message.";
/// The command, without a token, in a channel.
pub const TOKEN_DIRECTLY: &str =
    "I speak about Hugging Face tokens in direct messages only. Write me `!token` there.";
/// By slash command.
pub const TOKEN_BY_COMMAND: &str = "I take Hugging Face tokens in direct messages only: write me `!token hf_…` there. I kept nothing of this.";
/// A token among other words.
pub const TOKEN_IN_WORDS: &str = ":warning: There was a Hugging Face token in your message. I took it out before I kept the rest, but it still \
stands in Slack: delete the message, and revoke the token at https://huggingface.co/settings/tokens if others could read it. To \
work with your account, send me `!token hf_…` in a direct message.";
/// It cannot be read.
pub const TOKEN_UNCLEAR: &str = "Write `!token hf_…` with the token alone, `!token` to see whose account I use for you, or `!token remove`. I \
kept nothing of your message; delete it if there is a token in it.";
/// Nobody keeps tokens.
pub const TOKENS_NOT_KEPT: &str = "I cannot keep tokens here. I kept nothing; please delete your message.";

/// What came of a token.
#[must_use]
pub fn token_given(given: &Given) -> String {
    match given {
        Given::Kept { account, role } => {
            let only = match role.as_deref() {
                Some("read") => " It may only read: I cannot upload, create or run jobs with it.",
                _ => "",
            };
            format!(
                ":key: Kept. From now on I work as *{}* on Hugging Face when you ask me.{only} *Please delete your message with the token*; I do \
                 not need it any more. `!token remove` makes me forget it.",
                escape_mrkdwn(account)
            )
        }
        Given::Shapeless => format!(
            "That does not look like a Hugging Face token (they begin with `hf_`), so I kept nothing. You find yours at {SETTINGS}. Please delete \
             your message if it was a secret."
        ),
        Given::Refused => format!(
            "Hugging Face does not take that token: it is mistyped, expired or revoked. I kept nothing. Please delete your message; new tokens are \
             made at {SETTINGS}."
        ),
        Given::Unsure(why) => format!(
            "I could not check that token with Hugging Face ({}), so I kept nothing. Please delete your message and try again later.",
            escape_mrkdwn(why)
        ),
        Given::NotWanted => "I am set up to work with my own Hugging Face account for everybody, so I kept nothing. Please delete your message.".to_owned(),
        Given::NotSaved => "I could not write that down, so I kept nothing. Please delete your message and tell whoever runs me.".to_owned(),
    }
}

/// Whose account is used.
#[must_use]
pub fn token_held(held: &Held) -> String {
    match held {
        Held::Own { account } => format!(
            "I work as *{}* on Hugging Face when you ask me, with the token that you gave me. `!token remove` makes me forget it.",
            escape_mrkdwn(account)
        ),
        Held::SetUp => "I work with a Hugging Face token that my operator set up for you. `!token hf_…` puts one of your own in its place.".to_owned(),
        Held::Bots => format!(
            "I have no token of yours: I work with my own Hugging Face account when you ask me. `!token hf_…` changes that; you find yours at \
             {SETTINGS}."
        ),
        Held::Nobodys => format!(
            "I have no token of yours, so I can only read what is public on Hugging Face. `!token hf_…` changes that; you find yours at {SETTINGS}."
        ),
        Held::Unknown => "I cannot read the tokens that I keep just now. Please tell whoever runs me.".to_owned(),
    }
}

/// What came of forgetting.
#[must_use]
pub fn token_removed(removed: &Removed) -> String {
    match removed {
        Removed::Gone(held) => format!(
            "Forgotten. It still works elsewhere until you revoke it at {SETTINGS}. {}",
            token_held(held)
        ),
        Removed::Nothing(held) => format!("There was nothing to forget. {}", token_held(held)),
        Removed::NotSaved => "I could not forget it just now; it is still kept. Please tell whoever runs me, and revoke the token.".to_owned(),
    }
}
