//! A job as people see it: what its card shows, and its picture.

use super::alarms::Alarm;
use super::chart::{self, Line, Picture};
use super::memo::{Longer, Memo};
use super::metrics::{Axis, Track, is_evaluation, is_loss};
use crate::clock::Timestamp;
use crate::protocol::{JobView, JobWork, Stage, Ticket};

/// Readings of a metric below which there is no curve to draw: an evaluation with two numbers has none.
const READINGS: u64 = 4;
/// Metrics on a card.
const METRICS: usize = 6;

/// The card of a job at this moment.
#[must_use]
pub fn card(ticket: &Ticket, job: &JobWork, memo: &Memo, now: Timestamp) -> JobView {
    let stage = memo.stage();
    let running = matches!(stage, Stage::Running | Stage::Stopping);
    let until = memo.run.finished.unwrap_or(now);
    let finite = |summary: &super::metrics::Summary| {
        let value = if summary.broken_now { f64::NAN } else { summary.last? };
        Some((summary.name.clone(), value))
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
    let percent = memo.track.done().map(|done| (done * 100.0).floor() as u8);
    JobView {
        ticket: ticket.id.clone(),
        title: job.title.clone(),
        url: url(job, memo),
        flavour: job.flavour.clone(),
        stage,
        message: message(memo, stage),
        since: memo.run.started.unwrap_or(ticket.opened_at),
        elapsed_s: memo.run.started.map_or(0, |started| until.since(started).as_secs()),
        timeout_s: job.timeout_s,
        burnt: memo.cost(job.price, now),
        reserved: ticket.pledge.as_ref().and_then(|pledge| pledge.micros),
        eta_s: memo.track.left(now).filter(|_| running).map(|left| left.as_secs()),
        percent: percent.filter(|_| running),
        metrics: memo.track.latest(METRICS).into_iter().filter_map(finite).collect(),
        tail: memo.tail.clone(),
        alarms: memo.alarms.raised.iter().map(alarm_line).collect(),
        dashboard: job.dashboard.clone(),
        at: now,
    }
}

/// Where people see the job in hand.
#[must_use]
pub fn url(job: &JobWork, memo: &Memo) -> String {
    match &memo.job {
        Some(other) if job.url.ends_with(&job.job_id) => {
            format!("{}{other}", &job.url[..job.url.len() - job.job_id.len()])
        }
        _ => job.url.clone(),
    }
}

fn message(memo: &Memo, stage: Stage) -> Option<String> {
    let mut parts: Vec<String> =
        memo.run.message.iter().map(|it| crate::text::cut(it, 200).into_owned()).collect();
    if let (Stage::Stopping | Stage::Stopped, Some(name)) = (stage, &memo.stop) {
        parts.push(format!("{name} stopped it."));
    }
    match &memo.longer {
        Longer::Granted { seconds } if !stage.is_over() => parts.push(format!(
            "When its time is up it is begun anew for {}.",
            super::figures::span(std::time::Duration::from_secs(*seconds))
        )),
        Longer::Begin { .. } => parts.push("Its time was up; it is being begun anew.".to_owned()),
        _ => {}
    }
    if memo.earlier > 0 {
        parts.push(format!(
            "Begun anew {}.",
            if memo.earlier == 1 { "once".to_owned() } else { format!("{} times", memo.earlier) }
        ));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// An alarm in one line.
#[must_use]
pub fn alarm_line(alarm: &Alarm) -> String {
    format!("{}: {}", alarm.kind.title(), crate::text::first_line(&alarm.reason, 200))
}

/// An alarm as a message: what it is about, what was seen, and the lines that show it.
#[must_use]
pub fn alarm_text(job: &JobWork, alarm: &Alarm) -> String {
    let head = format!("{} in “{}”. {}", alarm.kind.title(), job.title, alarm.reason);
    if alarm.excerpt.is_empty() {
        return head;
    }
    // A fence inside the excerpt would end the block.
    format!("{head}\n```\n{}\n```", alarm.excerpt.replace("```", "'''"))
}

/// What a picture shows, for those who cannot see it.
#[must_use]
pub fn alt(track: &Track) -> String {
    let told = |it: &&super::metrics::Summary| {
        let (first, last) = (it.first?, it.last?);
        let (first, last) = (super::figures::short(first), super::figures::short(last));
        Some(format!("{} from {first} to {last}", it.name))
    };
    let drawn = |it: &&super::metrics::Summary| track.curves.iter().any(|curve| curve.name == it.name);
    track
        .metrics
        .iter()
        .filter(drawn)
        .filter_map(|it| told(&it))
        .take(chart::CURVES)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The picture of a training; `None` while there is nothing to draw.
///
/// # Errors
/// As [`chart::draw`].
pub fn picture(title: &str, track: &Track) -> anyhow::Result<Option<Vec<u8>>> {
    let enough = |name: &str| track.metrics.iter().any(|it| it.name == name && it.count >= READINGS);
    if !track.curves.iter().any(|curve| enough(&curve.name)) {
        return Ok(None);
    }
    let last = |name: &str| track.metrics.iter().find(|it| it.name == name).and_then(|it| it.last);
    let rank = |name: &str| match (is_loss(name), is_evaluation(name)) {
        (true, false) => 0,
        (true, true) => 1,
        _ => 2,
    };
    let mut curves: Vec<_> = track.curves.iter().collect();
    curves.sort_by_key(|curve| rank(&curve.name));
    let lines = curves.into_iter().map(|curve| Line {
        name: curve.name.clone(),
        points: curve.drawn(),
        last: last(&curve.name),
    });
    let axis = match track.axis {
        Some(Axis::Epoch) => "epoch",
        Some(Axis::Reading) => "reading",
        _ => "step",
    };
    chart::draw(&Picture { title: title.to_owned(), axis: axis.to_owned(), lines: lines.collect() })
}

#[cfg(test)]
mod tests {
    use super::super::metrics::Reading;
    use super::*;

    #[test]
    fn a_curve_needs_four_readings() {
        let mut track = Track::default();
        for step in 1..=4_u32 {
            let values = vec![("loss".to_owned(), 3.0 / f64::from(step))];
            track.take(&Reading { step: Some(step.into()), values, ..Reading::default() }, Timestamp(0));
            assert_eq!(picture("x", &track).unwrap().is_some(), step == 4, "{step}");
        }
    }
}
