//! Going on with a session in a thread, and listing those that there are: `!resume ID`, `!sessions`.
//!
//! Answers only who asked. What somebody may not go on with reads the same as what does not exist.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{Answer, Listener, NAME_PATIENCE};
use crate::clients::slack::{Method, Outgoing, Priority, Retry};
use crate::protocol::{Actor, OperationKind, SessionKey};
use crate::slack::place::Place;
use crate::slack::say;
use crate::slack::translate::Person;

/// How long a link of a list may take.
const LINK_PATIENCE: Duration = Duration::from_secs(2);

impl Listener {
    /// Has this thread go on with what another session has said.
    pub(super) async fn go_on(
        self: &Arc<Self>,
        place: &Place,
        person: &Person,
        cause: String,
        typed: &str,
    ) -> Answer {
        // By its whole key, by its message in this channel, or as a terminal names it.
        let here = Place { thread_ts: typed.to_owned(), ..place.clone() }.session();
        let names = [SessionKey(typed.to_owned()), here, SessionKey::of_terminal(typed)];
        let actor = Actor::new(person.id.clone(), self.names.of(&person.id, NAME_PATIENCE).await);
        let found = match self.intake.named_for(&names, &actor).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, "the store could not be read");
                return Answer::Again;
            }
        };
        match &found[..] {
            [source] if *source == place.session() => self.private(place, &person.id, say::THIS_ONE),
            [source] => {
                let kind = OperationKind::Adopt { source: source.clone(), turns: None };
                return self.submit(place, person, cause, kind).await;
            }
            [] => self.private(place, &person.id, say::NOT_YOURS),
            _ => self.private(place, &person.id, say::AMBIGUOUS),
        }
        Answer::Taken
    }

    /// Lists this channel's sessions to who asked.
    pub(super) async fn list(self: &Arc<Self>, place: &Place, person: &Person, words: &str) -> Answer {
        let listed = match self.intake.of_channel(&place.channel, words).await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::error!(%error, "the store could not be read");
                return Answer::Again;
            }
        };
        let (this, place, person) = (Arc::clone(self), place.clone(), person.id.clone());
        self.behind.spawn(async move {
            let mut lines = Vec::new();
            for one in listed {
                let link = this.link(&one.key).await;
                lines.push(say::session_line(&one, link.as_deref()));
            }
            this.private(&place, &person, &say::sessions(&lines));
        });
        Answer::Taken
    }

    /// A link to the thread of a session.
    async fn link(&self, key: &SessionKey) -> Option<String> {
        let there = Place::of(&self.intake.head(key).await.ok()??.origin)?;
        let outgoing = Outgoing {
            method: Method::GetPermalink,
            priority: Priority::Normal,
            channel: Some(there.channel.clone()),
            arguments: json!({ "channel": there.channel, "message_ts": there.thread_ts }),
            retry: Retry::Within(LINK_PATIENCE),
        };
        let answer = tokio::time::timeout(LINK_PATIENCE, self.scheduler.call(outgoing)).await.ok()?.ok()?;
        answer["permalink"].as_str().map(str::to_owned)
    }
}
