//! What the bot says of jobs: their card, their buttons, alarms, and the registry of runs.

use super::{date, money};
use crate::protocol::{JobView, Run, Stage};

/// The buttons of a job's card.
pub const STOP_JOB: &str = "Stop job";
/// Lets it run as long again.
pub const LONGER: &str = "Extend";
/// Its whole log, as a file.
pub const LOGS: &str = "Logs";
/// Asked before a job is stopped.
pub const STOP_JOB_SURE: &str = "The job ends now. What it has not pushed to the Hub is lost.";
/// Above what changed since the last run.
pub const SINCE_LAST: &str = "What changed:";
/// A call that goes on outside.
pub const GOES_ON: &str = "Runs on; its card is below.";

/// The headline of a job's card. `title` must be escaped.
#[must_use]
pub fn job(view: &JobView, title: &str) -> String {
    let sign = match view.stage {
        Stage::Queued => ":hourglass_flowing_sand:",
        Stage::Running => ":runner:",
        Stage::Stopping => ":octagonal_sign:",
        Stage::Completed => ":white_check_mark:",
        Stage::Failed | Stage::Vanished => ":x:",
        Stage::TimedOut => ":alarm_clock:",
        Stage::Stopped => ":no_entry:",
    };
    format!("{sign} *<{}|{title}>* {}", view.url, view.stage.word())
}

/// Time and money, in one line.
#[must_use]
pub fn job_burns(view: &JobView) -> String {
    let mut parts = vec![view.flavour.clone()];
    let time = crate::text::duration(view.elapsed_s);
    parts.push(if view.stage.is_over() {
        time
    } else {
        format!("{time} of at most {}", crate::text::duration(view.timeout_s))
    });
    parts.push(match (view.burnt, view.reserved) {
        (Some(burnt), Some(reserved)) if !view.stage.is_over() => {
            format!("{} of {} reserved", money(burnt), money(reserved))
        }
        (Some(burnt), _) => money(burnt),
        (None, _) => "of unknown price".to_owned(),
    });
    if let Some(eta) = view.eta_s.filter(|_| view.stage == Stage::Running) {
        parts.push(format!("about {} left", crate::text::duration(eta)));
    }
    parts.join(" · ")
}

/// Words for those who cannot see a picture, and for notifications. `title` must be plain.
#[must_use]
pub fn job_summary(view: &JobView, title: &str) -> String {
    format!("{title}: {}", view.stage.word())
}

/// When a card was true.
#[must_use]
pub fn as_of(seconds: i64) -> String {
    format!("as of {}", date(seconds))
}

/// An alarm. `text` must be escaped.
#[must_use]
pub fn alarm(text: &str) -> String {
    format!(":rotating_light: {text}")
}

/// A warning on a card. `text` must be escaped.
#[must_use]
pub fn warning(text: &str) -> String {
    format!(":warning: {text}")
}

/// One run of the registry. `escape` makes what people wrote safe.
#[must_use]
pub fn run_line(run: &Run, escape: impl Fn(&str) -> String) -> String {
    let title = escape(&run.title).replace('|', "¦");
    let mut parts = vec![format!("• *<{}|{title}>* {}", run.url, run.outcome)];
    let metrics: Vec<String> = run
        .metrics
        .iter()
        .take(4)
        .map(|(name, value)| format!("{} {}", escape(name), crate::text::number(*value)))
        .collect();
    parts.extend((!metrics.is_empty()).then(|| metrics.join(", ")));
    parts.extend(run.dataset.as_deref().map(|dataset| format!("on {}", escape(dataset))));
    parts.extend(run.output.as_deref().map(|output| format!("to {}", escape(output))));
    parts.extend(run.cost.map(money));
    parts.push(escape(&run.requester));
    parts.push(date(run.started_at.seconds()));
    if let Some(thread) = &run.thread {
        parts.push(format!("<{thread}|thread>"));
    }
    parts.join(" · ")
}

/// The registry, as far as it was asked for. `words` must be escaped.
#[must_use]
pub fn runs(words: &str, lines: &[String]) -> String {
    match (lines, words) {
        ([], "") => "Nothing has been trained or measured yet.".to_owned(),
        ([], words) => format!("No run is known for “{words}”."),
        (lines, _) => lines.join("\n"),
    }
}
