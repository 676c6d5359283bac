//! `/token`: whose account works on the Hub when this terminal asks.
//!
//! Owns the words of the answer. A terminal takes no token: it has the configured one.

use std::time::Duration;

use super::slash::Asked;
use crate::app::App;
use crate::app::tokens::Whose;
use crate::protocol::PersonId;

/// How long the Hub may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Who a terminal's person is; as operations of the chat say.
const PERSON: &str = "local";

/// Says whose account it is.
pub async fn tell(app: &App, asked: Asked) -> String {
    if asked == Asked::ToTakeOne {
        return "A terminal takes no token here, and this one was not kept: set HF_TOKEN (in the environment or in .env) and start again. If others \
                see this screen, revoke the token that you typed."
            .to_owned();
    }
    let whose = tokio::time::timeout(PATIENCE, app.hub_account(&PersonId(PERSON.to_owned()))).await;
    told(&whose.unwrap_or_else(|_| Whose::Unsure("no answer in time".to_owned())))
}

fn told(whose: &Whose) -> String {
    match whose {
        Whose::Account { name, role } => {
            let role = match role.as_deref() {
                Some("read") => ", and may only read",
                _ => "",
            };
            format!("The configured token (HF_TOKEN, or hub.tokens.{PERSON}) works as {name} on the Hub{role}.")
        }
        Whose::Nobodys => "There is no Hub token: only what is public can be read. Set HF_TOKEN (in the environment or in .env) and start again."
            .to_owned(),
        Whose::Unsure(why) => format!("There is a Hub token (HF_TOKEN, or hub.tokens.{PERSON}), but: {why}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_whose_and_what_to_do() {
        let account =
            |role: Option<&str>| Whose::Account { name: "ada".to_owned(), role: role.map(str::to_owned) };
        for (whose, words) in [
            (account(Some("write")), "works as ada on the Hub."),
            (account(Some("read")), "works as ada on the Hub, and may only read."),
            (Whose::Nobodys, "Set HF_TOKEN"),
            (Whose::Unsure("the Hub is away".to_owned()), "but: the Hub is away."),
        ] {
            let told = told(&whose);
            assert!(told.contains(words), "{told}");
        }
    }
}
