//! Running jobs, as a terminal shows them: a line when something changes, an alarm at once, files in a folder.
//!
//! Implements the runtime's port for external work. Shows only the session at this terminal; what belongs to
//! another one is watched all the same, silently.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::front::Front;
use super::render::clean::line;
use super::render::text::dollars;
use crate::protocol::{Attachment, Event, JobView, SessionKey, Stage, Ticket};
use crate::runtime::{Board, PresentError, Presenter};

/// Seconds between two lines about a job that merely goes on.
const QUIET_S: i64 = 60;

/// The board of one terminal.
pub struct FrontBoard {
    /// Where lines go.
    pub front: Front,
    /// The session that is shown.
    pub session: SessionKey,
    /// Where files go.
    pub folder: PathBuf,
}

/// What was said last of a ticket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Memo {
    stage: Option<Stage>,
    at_s: i64,
}

impl FrontBoard {
    fn say(&self, ticket: &Ticket, text: String) {
        if ticket.session == self.session {
            self.front.show(&Event::Remark { text });
        }
    }
}

#[async_trait]
impl Board for FrontBoard {
    async fn show(&self, ticket: &Ticket, view: &JobView, memo: &Value) -> Result<Value, PresentError> {
        let before: Memo = serde_json::from_value(memo.clone()).unwrap_or_default();
        let now = Memo { stage: Some(view.stage), at_s: view.at.seconds() };
        if before.stage == now.stage && now.at_s - before.at_s < QUIET_S {
            return Ok(memo.clone());
        }
        // How it ended is told with its result; a line here would fall into the answer. Only what somebody
        // stopped gets no other word.
        if !view.stage.is_over() || view.stage == Stage::Stopped {
            self.say(ticket, status(view));
        }
        serde_json::to_value(now).map_err(|error| PresentError::Never(error.to_string()))
    }

    async fn picture(&self, _: &Ticket, _: Attachment, memo: &Value) -> Result<Value, PresentError> {
        // A terminal has the numbers.
        Ok(memo.clone())
    }

    async fn alarm(&self, ticket: &Ticket, _: &str, text: &str) -> Result<(), PresentError> {
        self.say(ticket, format!("! {}: {text}", line(ticket.work.title(), 80)));
        Ok(())
    }

    async fn file(&self, ticket: &Ticket, file: Attachment) -> Result<(), PresentError> {
        let name: String = file
            .name
            .chars()
            .map(|it| if it.is_ascii_alphanumeric() || ".-_".contains(it) { it } else { '_' })
            .collect();
        let path = self.folder.join(name.trim_start_matches('.'));
        let later = |error: std::io::Error| PresentError::Later(error.to_string());
        tokio::fs::create_dir_all(&self.folder).await.map_err(later)?;
        tokio::fs::write(&path, &file.bytes).await.map_err(later)?;
        self.say(ticket, format!("{}: {}", line(&file.title, 120), path.display()));
        Ok(())
    }
}

/// One line: where a job stands.
fn status(view: &JobView) -> String {
    let mut parts = vec![view.stage.word().to_owned()];
    parts.push(crate::text::duration(view.elapsed_s));
    parts.push(view.flavour.clone());
    parts.extend(view.burnt.map(dollars));
    parts.extend(
        view.metrics.iter().take(3).map(|(name, value)| format!("{name} {}", crate::text::number(*value))),
    );
    parts.extend(
        view.eta_s
            .filter(|_| !view.stage.is_over())
            .map(|eta| format!("about {} left", crate::text::duration(eta))),
    );
    parts.extend(view.message.clone());
    line(&format!("{}: {}", view.title, parts.join(" · ")), 400)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::protocol::{Actor, Door, JobWork, Origin, Waits, Work};

    fn ticket(session: &str) -> Ticket {
        Ticket {
            id: "job:ann/1".into(),
            session: session.into(),
            origin: Origin::new(Door::Terminal, Value::Null),
            turn: "t".into(),
            call: "c".into(),
            tool: "hf_jobs".to_owned(),
            requester: Actor::new("local", "Ann"),
            approved_by: Vec::new(),
            asked_of: None,
            work: Work::Job(JobWork { title: "train".to_owned(), ..JobWork::default() }),
            waits: Waits::ForEnd,
            pledge: None,
            opened_at: Timestamp(0),
        }
    }

    fn view(stage: Stage, at_s: i64) -> JobView {
        JobView {
            ticket: "job:ann/1".into(),
            title: "train".to_owned(),
            url: "https://huggingface.co/jobs/ann/1".to_owned(),
            flavour: "t4-small".to_owned(),
            stage,
            message: None,
            since: Timestamp(0),
            elapsed_s: 90,
            timeout_s: 3_600,
            burnt: Some(15_000),
            reserved: Some(600_000),
            eta_s: Some(1_800),
            percent: None,
            metrics: vec![("loss".to_owned(), 0.123_456)],
            tail: Vec::new(),
            alarms: Vec::new(),
            dashboard: None,
            at: Timestamp(at_s * 1_000),
        }
    }

    #[tokio::test]
    async fn a_line_appears_when_something_changes_and_not_more_often_than_once_a_minute() {
        let dir = tempfile::tempdir().unwrap();
        let front = Front::new();
        let board =
            FrontBoard { front: front.clone(), session: "here".into(), folder: dir.path().to_path_buf() };
        let mut memo = Value::Null;
        let mut said = Vec::new();
        for (stage, at) in [
            (Stage::Queued, 0),
            (Stage::Running, 5),
            (Stage::Running, 20),
            (Stage::Running, 66),
            (Stage::Completed, 70),
            (Stage::Stopped, 75),
        ] {
            memo = board.show(&ticket("here"), &view(stage, at), &memo).await.unwrap();
            while let Some(Event::Remark { text }) = front.take() {
                said.push(text);
            }
        }
        let rest = "1 min · t4-small · $0.02 · loss 0.1235";
        assert_eq!(
            said,
            [
                format!("train: queued · {rest} · about 30 min left"),
                format!("train: running · {rest} · about 30 min left"),
                format!("train: running · {rest} · about 30 min left"),
                format!("train: stopped · {rest}"),
            ]
        );
        board.show(&ticket("elsewhere"), &view(Stage::Queued, 0), &Value::Null).await.unwrap();
        assert!(front.is_empty(), "another session's job is not shown here");
    }

    #[tokio::test]
    async fn a_log_lands_in_the_folder_whatever_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let front = Front::new();
        let board =
            FrontBoard { front: front.clone(), session: "here".into(), folder: dir.path().join("jobs") };
        let file =
            Attachment { name: "../../x y.log".to_owned(), title: "Log".to_owned(), bytes: b"a\n".to_vec() };
        board.file(&ticket("here"), file).await.unwrap();
        assert_eq!(std::fs::read(dir.path().join("jobs/_.._x_y.log")).unwrap(), b"a\n");
    }
}
