//! Jobs in their threads: one living card each, its picture, alarms, files. Implements the runtime's port for
//! Slack, beside the presenter and without its session's lease.
//!
//! What must not appear twice is looked for in the thread before it is posted anew.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SlackPresenters;
use super::answer::note_forms;
use super::found::Found;
use super::job_card;
use super::markdown::{cut, escape_mrkdwn};
use super::post::{Courier, Marker, verdict};
use crate::clients::slack::{Sharing, Upload};
use crate::protocol::{Attachment, JobView, Ticket};
use crate::runtime::board::Board;
use crate::runtime::present::PresentError;
use crate::slack::place::Place;
use crate::slack::{buttons, say};

/// What is remembered of a ticket's card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Memo {
    /// The card's message.
    ts: Option<String>,
    /// The file that is its picture.
    picture: Option<String>,
}

impl Memo {
    fn read(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    fn keep(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl SlackPresenters {
    fn courier_of(&self, ticket: &Ticket) -> Result<Courier, PresentError> {
        let place = Place::of(&ticket.origin)
            .ok_or_else(|| PresentError::Never("the session's place cannot be read".to_owned()))?;
        Ok(self.courier(place))
    }
}

#[async_trait]
impl Board for SlackPresenters {
    async fn show(&self, ticket: &Ticket, view: &JobView, memo: &Value) -> Result<Value, PresentError> {
        let courier = self.courier_of(ticket)?;
        let mut memo = Memo::read(memo);
        let marker = Marker::new(buttons::JOB, [("ticket", ticket.id.as_str())]);
        let forms = job_card::forms(view, memo.picture.as_deref());
        if memo.ts.is_none() {
            // Whoever watched before may have posted it and died.
            memo.ts = Found::look(&courier, Some(ticket.opened_at)).await?.ts_of(&marker);
        }
        match &memo.ts {
            Some(ts) => courier.rewrite(ts, &forms, &marker).await?,
            None => memo.ts = Some(courier.post_once(&forms, &marker).await?),
        }
        Ok(memo.keep())
    }

    async fn picture(
        &self,
        ticket: &Ticket,
        picture: Attachment,
        memo: &Value,
    ) -> Result<Value, PresentError> {
        let courier = self.courier_of(ticket)?;
        let mut memo = Memo::read(memo);
        // Not shared by itself: the card shows it.
        let upload = upload(&courier, picture, Sharing::None);
        let id = self.scheduler.upload(&upload).await.map_err(|error| verdict(&error))?;
        memo.picture = Some(id);
        Ok(memo.keep())
    }

    async fn alarm(&self, ticket: &Ticket, key: &str, text: &str) -> Result<(), PresentError> {
        let courier = self.courier_of(ticket)?;
        let marker = Marker::new(buttons::ALARM, [("ticket", ticket.id.as_str()), ("key", key)]);
        if Found::look(&courier, Some(ticket.opened_at)).await?.ts_of(&marker).is_some() {
            return Ok(());
        }
        let forms = note_forms(&say::alarm(&escape_mrkdwn(&cut(text, 2_500))));
        courier.post_once(&forms, &marker).await.map(|_| ())
    }

    async fn file(&self, ticket: &Ticket, file: Attachment) -> Result<(), PresentError> {
        let courier = self.courier_of(ticket)?;
        let upload = upload(&courier, file, Sharing::Thread);
        self.scheduler.upload(&upload).await.map(|_| ()).map_err(|error| verdict(&error))
    }
}

fn upload(courier: &Courier, file: Attachment, sharing: Sharing) -> Upload {
    Upload {
        channel: courier.place.channel.clone(),
        thread_ts: courier.place.thread_ts.clone(),
        name: file.name,
        title: file.title,
        content: file.bytes,
        sharing,
    }
}
