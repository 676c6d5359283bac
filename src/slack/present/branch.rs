//! A new thread in which a session goes on: one message in the channel that says of what it is a fork.
//!
//! Posted once for each cause: it carries the cause in its metadata and is looked for before it is posted.

use std::time::Duration;

use serde_json::{Value, json};

use super::markdown::{cut, escape_mrkdwn};
use super::post::{Courier, Marker, verdict};
use crate::clients::slack::{Method, Priority, Retry, SlackError};
use crate::protocol::Operation;
use crate::runtime::present::PresentError;
use crate::slack::place::Place;
use crate::slack::{buttons, say};

/// Pages of 200 messages of the channel that are read at most.
const PAGES: usize = 3;
/// How often a post is tried whose fate is unknown.
const TRIES: u32 = 5;

/// The thread that this cause opens in the channel of `courier`.
///
/// # Errors
/// If it could not be opened.
pub(super) async fn open(
    courier: &Courier,
    title: Option<&str>,
    link: Option<&str>,
    cause: &Operation,
) -> Result<Place, PresentError> {
    let marker = Marker::new(buttons::FORK, [("cause", cause.id.as_str())]);
    let mut tries = 0;
    let root = loop {
        if let Some(ts) = find(courier, cause, &marker).await? {
            break ts;
        }
        match post(courier, title, link, &marker).await {
            Ok(ts) => break ts,
            Err(SlackError::Transport(why)) if tries < TRIES => {
                tries += 1;
                tracing::debug!(why, tries, "a fork's post was lost; looking whether it arrived");
                tokio::time::sleep(Duration::from_millis(300 * u64::from(tries))).await;
            }
            Err(error) => return Err(verdict(&error)),
        }
    };
    let Place { team, channel, .. } = courier.place.clone();
    Ok(Place { team, channel, thread_ts: root, opened_by: cause.actor.id.0.clone() })
}

async fn find(courier: &Courier, cause: &Operation, marker: &Marker) -> Result<Option<String>, PresentError> {
    let mut arguments = json!({
        "channel": courier.place.channel,
        // Clocks differ; a minute earlier costs nothing.
        "oldest": format!("{}.000000", cause.at.seconds() - 60),
        "include_all_metadata": true,
        "limit": 200,
    });
    for _ in 0..PAGES {
        let read = courier.call(Method::History, Priority::Final, Retry::MustArrive, arguments.clone()).await;
        let page = read.map_err(|error| verdict(&error))?;
        let found = page["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|message| courier.wrote(message) && marker.is_on(message))
            .and_then(|message| message["ts"].as_str());
        if let Some(ts) = found {
            return Ok(Some(ts.to_owned()));
        }
        match page["response_metadata"]["next_cursor"].as_str() {
            Some(cursor) if !cursor.is_empty() => arguments["cursor"] = json!(cursor),
            _ => break,
        }
    }
    Ok(None)
}

async fn post(
    courier: &Courier,
    title: Option<&str>,
    link: Option<&str>,
    marker: &Marker,
) -> Result<String, SlackError> {
    let title = escape_mrkdwn(&cut(title.unwrap_or(say::UNTITLED), 200));
    let arguments = json!({
        "channel": courier.place.channel,
        "text": say::fork_of(&title, link),
        "metadata": marker.metadata(),
        "unfurl_links": false,
        "unfurl_media": false,
    });
    let answer: Value =
        courier.call(Method::PostMessage, Priority::Final, Retry::MustArrive, arguments).await?;
    answer["ts"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| SlackError::Transport("the post has no time".to_owned()))
}
