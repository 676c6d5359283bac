//! The order of looking: what stands on the Hub, then what the viewer knows, as much as possible at once.

use std::fmt::Write as _;

use tokio_util::sync::CancellationToken;

use super::standing::{Standing, standing, viewer};
use super::verdict::verdicts;
use super::{Wish, messages, shown, statistics};
use crate::clients::dataset_viewer::{Abilities, DatasetViewer, Part, Parts, Question, Rows, Size};
use crate::clients::hub::Hub;
use crate::clients::service::ServiceError;
use crate::secret::Secret;
use crate::text::nearest;

/// Who looks.
pub(super) struct Eyes<'a> {
    pub(super) hub: &'a Hub,
    pub(super) viewer: &'a DatasetViewer,
    pub(super) token: Option<&'a Secret>,
    pub(super) cancel: &'a CancellationToken,
}

/// What the viewer says of the dataset as a whole.
struct Whole {
    abilities: Result<Abilities, ServiceError>,
    parts: Result<Parts, ServiceError>,
    parquet: Result<Vec<Size>, ServiceError>,
    sizes: Result<Vec<Size>, ServiceError>,
}

impl Eyes<'_> {
    /// The report, or why there is none.
    pub(super) async fn inspect(&self, wish: &Wish) -> Result<String, String> {
        let who = Question { dataset: &wish.repo.id, token: self.token, cancel: self.cancel };
        let info = async {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => None,
                info = self.hub.info(&wish.repo, None) => Some(info),
            }
        };
        let (info, abilities, parts, parquet, sizes) = tokio::join!(
            info,
            self.viewer.abilities(who),
            self.viewer.parts(who),
            self.viewer.parquet(who),
            self.viewer.sizes(who),
        );
        let Some(info) = info else { return Err("stopped".to_owned()) };
        let standing = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err("stopped".to_owned()),
            standing = standing(self.hub, self.token, &wish.repo, info) => standing?,
        };
        let whole = Whole { abilities, parts, parquet, sizes };
        let at = chosen(wish, &whole).map_err(|why| head(wish, &standing, &why))?;
        let (columns, rows, counted) = tokio::join!(
            self.viewer.columns(who, &at.config),
            self.viewer.first_rows(who, &at),
            self.viewer.statistics(who, &at),
        );
        let mut notes = Vec::new();
        let mut note = |what: &str, error: &ServiceError| notes.push(format!("{what}: {}", viewer(error)));
        let mut rows = rows.unwrap_or_else(|error| {
            note("rows", &error);
            Rows::default()
        });
        match columns {
            // First rows name the columns in their order; what they leave out is taken from the other answer.
            Ok(columns) if rows.columns.is_empty() => rows.columns = columns,
            Err(error) if rows.columns.is_empty() => note("columns", &error),
            Ok(_) | Err(_) => {}
        }
        if rows.columns.is_empty() && rows.rows.is_empty() {
            let why = format!("Neither columns nor rows could be seen. {}", notes.join("; "));
            return Err(head(wish, &standing, &why));
        }
        let counted = counted.map_err(|error| note("statistics", &error)).ok();
        for (what, error) in [
            ("sizes", whole.sizes.as_ref().err()),
            ("files", whole.parquet.as_ref().err()),
            ("viewer", whole.abilities.as_ref().err()),
        ] {
            if let Some(error) = error {
                note(what, error);
            }
        }
        let mut out = head(wish, &standing, &able(&whole));
        shown::parts(&mut out, &whole.parts, &sizes_of(&whole));
        shown::columns(&mut out, &at, &rows.columns);
        if let Some(counted) = &counted {
            statistics::shown(&mut out, counted);
        }
        shown::rows(&mut out, &rows, wish.rows);
        messages::shown(&mut out, &rows);
        shown::verdicts(&mut out, &verdicts(&rows.columns, &rows.rows));
        if !notes.is_empty() {
            let _ = write!(
                out,
                "\n## Not seen\n{}\n",
                notes.iter().map(|it| format!("- {it}")).collect::<Vec<_>>().join("\n")
            );
        }
        Ok(out)
    }
}

fn head(wish: &Wish, standing: &Standing, more: &str) -> String {
    let mut out = format!("# {}\n{}\n", wish.repo.id, standing.line);
    if let Some(info) = &standing.info {
        let mut facts = Vec::new();
        facts.extend(info.downloads.map(|it| super::super::words::counted(it, "download")));
        facts.extend(info.likes.map(|it| super::super::words::counted(it, "like")));
        facts.extend(info.card_data["license"].as_str().map(|it| format!("licence {}", super::line(it, 60))));
        facts.extend(
            info.last_modified
                .as_ref()
                .map(|it| format!("changed {}", it.chars().take(10).collect::<String>())),
        );
        if !facts.is_empty() {
            let _ = writeln!(out, "{}", facts.join(" · "));
        }
    }
    if !more.is_empty() {
        let _ = writeln!(out, "{more}");
    }
    out
}

fn able(whole: &Whole) -> String {
    match &whole.abilities {
        Ok(abilities) if abilities.cannot.is_empty() => String::new(),
        Ok(abilities) => format!("the dataset viewer cannot give: {}", abilities.cannot.join(", ")),
        Err(_) => String::new(),
    }
}

/// Rows from the one answer, files from the other.
fn sizes_of(whole: &Whole) -> Vec<Size> {
    let mut sizes = whole.sizes.clone().unwrap_or_default();
    for files in whole.parquet.iter().flatten() {
        match sizes.iter_mut().find(|size| size.part == files.part) {
            Some(size) => {
                size.files = files.files;
                size.bytes = size.bytes.or(files.bytes);
            }
            None => sizes.push(files.clone()),
        }
    }
    sizes
}

/// Which split is looked at: the one that was named, else the first.
fn chosen(wish: &Wish, whole: &Whole) -> Result<Part, String> {
    let parts = match &whole.parts {
        Ok(parts) => parts,
        // Who names both can still be served.
        Err(error) => {
            return match (&wish.config, &wish.split) {
                (Some(config), Some(split)) => Ok(Part { config: config.clone(), split: split.clone() }),
                _ => Err(format!("Its splits could not be seen: {}.", viewer(error))),
            };
        }
    };
    if parts.ready.is_empty() {
        let why = if parts.pending > 0 {
            "The dataset viewer is still at work on it: ask again in a minute."
        } else if parts.failed > 0 {
            "The dataset viewer could not read any of it; load it in Python to see why."
        } else {
            "It has no splits: it is empty, or holds no data files that are understood."
        };
        return Err(why.to_owned());
    }
    let configs = unique(parts.ready.iter().map(|part| part.config.as_str()));
    let config = match &wish.config {
        None => configs[0],
        Some(config) if configs.contains(&config.as_str()) => config,
        Some(config) => return Err(unknown("config", config, &configs)),
    };
    let splits =
        unique(parts.ready.iter().filter(|part| part.config == config).map(|part| part.split.as_str()));
    let split = match &wish.split {
        None => splits[0],
        Some(split) if splits.contains(&split.as_str()) => split,
        Some(split) => return Err(unknown(&format!("split of config {config}"), split, &splits)),
    };
    Ok(Part { config: config.to_owned(), split: split.to_owned() })
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

fn unknown(what: &str, wanted: &str, there: &[&str]) -> String {
    let alike = nearest(wanted, there.iter().copied());
    let meant = if alike.is_empty() { String::new() } else { format!(" Did you mean {}?", alike.join(", ")) };
    let shown: Vec<String> = there.iter().take(20).map(|name| super::line(name, 60)).collect();
    let more = if there.len() > 20 { format!(", … {} in all", there.len()) } else { String::new() };
    format!("There is no {what} “{}”.{meant} There is: {}{more}", super::line(wanted, 60), shown.join(", "))
}
