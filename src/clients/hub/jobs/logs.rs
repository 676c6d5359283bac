//! A job's log and its measurements, as streams of events that begin anew with every connection.
//!
//! The Hub has no way to ask for the rest of a log: each connection sends it from the beginning (or its last
//! lines). [`LogPoint`] remembers how far one has come, so that what was seen is left out. Of a line that has no
//! end the beginning is kept. Never connects again by itself. Start at [`Hub::follow_job`].

use std::time::Duration;

use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::ask::Ask;
use super::super::stream::Lines;
use super::super::{Hub, HubError};

/// What the Hub says before a program's own first line.
const STARTED: &str = "===== Job started";
/// Characters that are kept of a line too long to be taken whole.
const BEGINNING: usize = 4_096;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written, as the Hub says it.
    pub timestamp: Option<String>,
    /// The line, without its end.
    pub text: String,
}

/// How far into a log one has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPoint {
    /// Lines seen in all.
    pub lines: u64,
    /// The time of the last one, if it had one.
    #[serde(default)]
    pub last: Option<String>,
    /// How many of the seen lines have that very time.
    #[serde(default)]
    pub same: u64,
}

impl LogPoint {
    /// Goes past a line.
    pub fn pass(&mut self, line: &LogLine) {
        self.lines += 1;
        match (&line.timestamp, &mut self.last) {
            (Some(time), Some(last)) if time == last => self.same += 1,
            // Lines of several processes may come a little out of order.
            (Some(time), Some(last)) if time < last => {}
            (Some(time), _) => {
                self.last = Some(time.clone());
                self.same = 1;
            }
            (None, _) => {}
        }
    }
}

/// What is wanted of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogWish {
    /// What was seen already.
    pub from: LogPoint,
    /// Only so many of the last lines.
    pub tail: Option<u32>,
}

impl Hub {
    /// A job's log: what there is, and what comes while the connection lasts. It ends with the job, or when
    /// the Hub closes it. Silence for longer than `idle` is an error that may pass.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn follow_job(
        &self,
        namespace: &str,
        job: &str,
        wish: LogWish,
        idle: Duration,
    ) -> Result<LogStream, HubError> {
        let mut ask = Ask::get(&["api", "jobs", namespace, job, "logs"]);
        if let Some(tail) = wish.tail {
            ask = ask.query("tail", &tail.to_string());
        }
        let lines = self.stream(ask, idle).await?.lines();
        Ok(LogStream { lines, seen: Seen::before(wish.from) })
    }

    /// A job's measurements of its machine, as they come.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn job_metrics(
        &self,
        namespace: &str,
        job: &str,
        idle: Duration,
    ) -> Result<impl Stream<Item = Result<Value, HubError>> + Send + 'static, HubError> {
        let ask = Ask::get(&["api", "jobs", namespace, job, "metrics"]);
        let lines = self.stream(ask, idle).await?.lines();
        Ok(futures::stream::unfold(Some(lines), |lines| async move {
            let mut lines = lines?;
            loop {
                match lines.next().await {
                    Ok(Some(line)) => {
                        if let Some(event) = event_of(&line) {
                            return Some((Ok(event), Some(lines)));
                        }
                    }
                    Ok(None) => return None,
                    Err(error) => return Some((Err(error), None)),
                }
            }
        }))
    }
}

/// The lines of a log, one after another.
#[derive(Debug)]
pub struct LogStream {
    lines: Lines,
    seen: Seen,
}

impl LogStream {
    /// The next line that was not seen before; `None` when the Hub closes the connection. Dropping the wait
    /// loses nothing.
    ///
    /// # Errors
    /// As [`HubError`] says; the stream is over then.
    pub async fn next(&mut self) -> Result<Option<LogLine>, HubError> {
        while let Some(line) = self.lines.next().await? {
            if let Some(line) = event_of(&line).and_then(|event| line_of(&event))
                && self.seen.is_new(&line)
            {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// The same as a stream; it ends after an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<LogLine, HubError>> + Send + 'static {
        futures::stream::unfold(Some(self), |lines| async move {
            let mut lines = lines?;
            match lines.next().await {
                Ok(line) => line.map(|line| (Ok(line), Some(lines))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

/// The event that a line of the body holds. Comments and other fields are nothing, as for the official client.
fn event_of(line: &str) -> Option<Value> {
    let data = line.strip_prefix("data:")?;
    match serde_json::from_str::<Value>(data) {
        Ok(event) => event.is_object().then_some(event),
        Err(_) if data.len() > 64 * 1024 => Some(cut_off(data)),
        Err(_) => None,
    }
}

fn line_of(event: &Value) -> Option<LogLine> {
    let text = event["data"].as_str()?.trim_end_matches(['\n', '\r']);
    if text.starts_with(STARTED) {
        return None;
    }
    Some(LogLine { timestamp: event["timestamp"].as_str().map(str::to_owned), text: text.to_owned() })
}

/// Leaves out what was seen on earlier connections.
#[derive(Debug)]
struct Seen {
    before: LogPoint,
    lines: u64,
    same: u64,
    /// Something new has come: all that follows is new, also what is dated a little earlier.
    live: bool,
}

impl Seen {
    fn before(before: LogPoint) -> Self {
        Self { before, lines: 0, same: 0, live: false }
    }

    fn is_new(&mut self, line: &LogLine) -> bool {
        if !self.live {
            self.live = self.begins_anew(line);
        }
        self.live
    }

    fn begins_anew(&mut self, line: &LogLine) -> bool {
        self.lines += 1;
        match (&line.timestamp, &self.before.last) {
            (Some(time), Some(last)) if time < last => false,
            (Some(time), Some(last)) if time == last => {
                self.same += 1;
                self.same > self.before.same
            }
            (Some(_), Some(_)) => true,
            _ => self.lines > self.before.lines,
        }
    }
}

/// What is left of a line without end: its beginning, so that people see that there was one.
fn cut_off(data: &str) -> Value {
    let text = data.split_once("\"data\":").map_or(data, |(_, rest)| rest).trim_start_matches([' ', '"']);
    let text = crate::text::cut(text, BEGINNING);
    serde_json::json!({ "data": format!("{text} [a line too long to be kept whole]") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: Option<&str>, text: &str) -> LogLine {
        LogLine { timestamp: time.map(str::to_owned), text: text.to_owned() }
    }

    #[test]
    fn a_line_of_the_body_is_an_event_or_nothing() {
        let text = |line: &str| event_of(line).and_then(|event| line_of(&event)).map(|line| line.text);
        for (body, expected) in [
            (r#"data: {"data": "===== Job started at x =====", "timestamp": "1"}"#, None),
            (r#"data: {"data":"héllo\n","timestamp":"2"}"#, Some("héllo")),
            (r#"data:{"data":"two"}"#, Some("two")),
            (": keep-alive", None),
            ("event: log", None),
            ("data: nonsense", None),
            ("data: [1]", None),
            (r#"data: {"other": 1}"#, None),
            ("", None),
        ] {
            assert_eq!(text(body).as_deref(), expected, "{body}");
        }
        let long = format!(r#"data: {{"timestamp": "1", "data": "begin{}"#, "x".repeat(200_000));
        let cut = text(&long).unwrap();
        assert!(
            cut.starts_with("beginxxx") && cut.ends_with("kept whole]") && cut.len() < 5_000,
            "{}",
            cut.len()
        );
    }

    #[test]
    fn a_log_goes_on_where_it_was_left() {
        let all = [
            line(Some("t1"), "a"),
            line(Some("t1"), "b"),
            line(Some("t2"), "c"),
            line(Some("t2"), "c"),
            line(Some("t3"), "d"),
        ];
        for dropped in 0..=all.len() {
            let mut point = LogPoint::default();
            all[..dropped].iter().for_each(|line| point.pass(line));
            let mut seen = Seen::before(point);
            let rest: Vec<&LogLine> = all.iter().filter(|line| seen.is_new(line)).collect();
            assert_eq!(rest, all[dropped..].iter().collect::<Vec<_>>(), "dropped after {dropped}");
        }
        // A log that now begins later (only its last lines) loses nothing either.
        let mut point = LogPoint::default();
        all[..3].iter().for_each(|line| point.pass(line));
        let mut seen = Seen::before(point);
        let rest = all[2..].iter().filter(|line| seen.is_new(line)).count();
        assert_eq!(rest, 2);
    }

    #[test]
    fn what_is_dated_a_little_earlier_is_new_once_something_new_has_come() {
        let before = [line(Some("t1"), "a"), line(Some("t3"), "b")];
        let mut point = LogPoint::default();
        before.iter().for_each(|line| point.pass(line));
        let mut seen = Seen::before(point);
        let all = [&before[..], &[line(Some("t4"), "c"), line(Some("t2"), "late")]].concat();
        let rest: Vec<&str> =
            all.iter().filter(|line| seen.is_new(line)).map(|line| line.text.as_str()).collect();
        assert_eq!(rest, ["c", "late"]);
    }

    #[test]
    fn a_log_without_times_goes_on_by_count() {
        let all = [line(None, "a"), line(None, "b"), line(None, "c")];
        let mut point = LogPoint::default();
        all[..2].iter().for_each(|line| point.pass(line));
        let mut seen = Seen::before(point);
        let rest: Vec<&str> =
            all.iter().filter(|line| seen.is_new(line)).map(|line| line.text.as_str()).collect();
        assert_eq!(rest, ["c"]);
    }
}
