//! `session list`: one line per session, or one JSON object. Owns how a line reads.

use serde_json::json;

use super::super::args::Flags;
use super::super::exit::Exit;
use super::super::print_out;
use super::super::render::clean;
use super::{id, shown_time};
use crate::store::{Find, Listed, Store};
use crate::text::count;

/// Characters of a title that are shown.
const TITLE: usize = 60;

/// Lists what is found.
///
/// # Errors
/// The store failed, or standard output is gone.
pub async fn run(store: &dyn Store, find: &Find, flags: &Flags) -> anyhow::Result<Exit> {
    let found = store.find(find).await?;
    if flags.json {
        let lines = found.iter().map(|line| Ok(format!("{}\n", as_json(line)?)));
        print_out(&lines.collect::<anyhow::Result<String>>()?)?;
        return Ok(Exit::Finished);
    }
    let width = found.iter().map(|line| id(&line.key).chars().count()).max().unwrap_or_default();
    print_out(&found.iter().map(|line| as_text(line, width)).collect::<String>())?;
    if found.is_empty() {
        eprintln!("{}", if find.words.is_empty() { "No sessions." } else { "No session has these words." });
    } else if found.len() == find.limit as usize {
        eprintln!("There may be more: --skip {} shows what comes next.", find.skip + find.limit);
    }
    Ok(Exit::Finished)
}

fn as_text(line: &Listed, width: usize) -> String {
    let title = line.title.as_deref().unwrap_or("(nothing was asked yet)");
    format!(
        "{}  {:<width$}  {:>9}  {}\n",
        shown_time(line.updated_at),
        id(&line.key),
        count(usize::try_from(line.turns).unwrap_or(usize::MAX), "turn"),
        clean::line(title, TITLE),
    )
}

fn as_json(line: &Listed) -> anyhow::Result<serde_json::Value> {
    let mut value = serde_json::to_value(line)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("id".to_owned(), json!(id(&line.key)));
    }
    Ok(value)
}
