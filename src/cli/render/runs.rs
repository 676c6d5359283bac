//! The registry of runs, as a terminal lists it.

use super::clean::line;
use super::paint::Paint;
use super::text::dollars;
use crate::protocol::Run;

/// The list; says so if there is none.
#[must_use]
pub fn draw(words: &str, runs: &[Run], paint: Paint) -> String {
    if runs.is_empty() {
        return match words {
            "" => "Nothing has been trained or measured yet.\n".to_owned(),
            words => format!("No run is known for “{}”.\n", line(words, 80)),
        };
    }
    runs.iter().map(|run| one(run, paint)).collect()
}

fn one(run: &Run, paint: Paint) -> String {
    let outcome = match run.outcome.as_str() {
        "completed" => paint.green("completed"),
        "running" => paint.cyan("running"),
        other => paint.red(&line(other, 30)),
    };
    let mut parts = Vec::new();
    parts.extend(
        run.metrics
            .iter()
            .take(4)
            .map(|(name, value)| format!("{} {}", line(name, 40), crate::text::number(*value))),
    );
    parts.extend(run.dataset.as_deref().map(|dataset| format!("on {}", line(dataset, 80))));
    parts.extend(run.output.as_deref().map(|output| format!("to {}", line(output, 80))));
    parts.extend(run.cost.map(dollars));
    parts.push(line(&run.flavour, 40));
    let when = jiff::Timestamp::from_millisecond(run.started_at.0)
        .map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    format!(
        "{} {outcome}\n  {}\n  {}\n",
        paint.bold(&line(&run.title, 100)),
        parts.join(" · "),
        paint.dim(&format!("{when} {}", line(&run.url, 200)))
    )
}
