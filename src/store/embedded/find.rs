//! Finding sessions by what was said in them. Owns the table `said`, kept in step with the transcript by
//! the commit that changes it: what that costs depends on what the commit cuts and adds. A search goes
//! through the sessions, newest first, until it has enough. Start at [`find`]; [`Said`] is what a commit
//! adds.

use rusqlite::{Connection, Row, ToSql, params};

use super::error::{signed, unsigned};
use super::queue::{door_name, door_named};
use crate::clock::Timestamp;
use crate::protocol::{Item, SessionKey};
use crate::store::{Find, Listed, Result, StoreError};

/// Words of a search beyond this many are not looked for.
const MOST_WORDS: usize = 8;

/// Characters of one item that can be searched.
const SEARCHED: usize = 20_000;

/// The position under which a title is kept; no transcript is that long.
const TITLE: i64 = 0xFFFF_FFFF;

/// Sessions, newest first; the conditions for words come between the two parts.
const LISTED: &str = "SELECT key, title, updated_at, turns, items, door, channel,
     json_extract(head, '$.settings.model')
   FROM sessions WHERE head IS NOT NULL AND (?1 IS NULL OR door = ?1) AND (?2 IS NULL OR channel = ?2)";
const SAID: &str = " AND EXISTS (SELECT 1 FROM said
     WHERE said.id BETWEEN sessions.id << 32 AND (sessions.id << 32) | 4294967295 AND instr(words, ";
const NEWEST: &str = " ORDER BY updated_at DESC, sessions.id DESC LIMIT ?3 OFFSET ?4";

/// Nothing sorts behind U+10FFFF.
const KEYS: &str = "SELECT key FROM sessions WHERE key >= ?1 AND key < ?1 || char(1114111)
   ORDER BY key LIMIT ?2";

fn row_id(session: i64, position: i64) -> i64 {
    (session << 32) | position
}

/// As words are kept and looked for: case does not matter.
fn folded(text: &str) -> String {
    text.chars().take(SEARCHED).flat_map(char::to_lowercase).collect()
}

/// What can be searched of the items that a commit adds: how far behind its first item, and the words.
pub(super) struct Said(Vec<(i64, String)>);

impl Said {
    pub(super) fn of<'a>(items: impl Iterator<Item = &'a Item>) -> Self {
        let words = items.enumerate().filter_map(|(offset, item)| {
            let words: String = match item {
                Item::User { text, .. } | Item::Assistant { text, .. } | Item::Summary { text, .. } => {
                    folded(text)
                }
                Item::Overheard { lines } => {
                    let lines: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
                    folded(&lines.join(" "))
                }
                Item::Synthetic { .. } | Item::ToolResult { .. } => return None,
            };
            (!words.trim().is_empty()).then(|| (signed(offset as u64), words))
        });
        Self(words.collect())
    }
}

/// Adds what was said behind position `first` of a session.
pub(super) fn add(db: &Connection, session: i64, first: i64, said: &Said) -> Result<()> {
    let mut insert = db.prepare_cached("INSERT INTO said (id, words) VALUES (?1, ?2)")?;
    for (offset, words) in &said.0 {
        insert.execute(params![row_id(session, first + offset), words])?;
    }
    Ok(())
}

/// Takes out what was said from position `first` on.
pub(super) fn cut(db: &Connection, session: i64, first: i64) -> Result<()> {
    take_out(db, row_id(session, first), row_id(session, TITLE - 1))
}

/// Takes out all of a session, its title too.
pub(super) fn cut_all(db: &Connection, session: i64) -> Result<()> {
    take_out(db, row_id(session, 0), row_id(session, TITLE))
}

fn take_out(db: &Connection, from: i64, to: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM said WHERE id BETWEEN ?1 AND ?2")?.execute([from, to])?;
    Ok(())
}

/// Puts a new title in the place of the old one.
pub(super) fn entitle(db: &Connection, session: i64, title: Option<&str>) -> Result<()> {
    take_out(db, row_id(session, TITLE), row_id(session, TITLE))?;
    if let Some(title) = title {
        db.prepare_cached("INSERT INTO said (id, words) VALUES (?1, ?2)")?
            .execute(params![row_id(session, TITLE), folded(title)])?;
    }
    Ok(())
}

pub(super) fn find(db: &Connection, find: &Find) -> Result<Vec<Listed>> {
    let words: Vec<String> = find.words.split_whitespace().take(MOST_WORDS).map(folded).collect();
    let each = |n: usize| format!("{SAID}?{}))", n + 5);
    let sql = format!("{LISTED}{}{NEWEST}", (0..words.len()).map(each).collect::<String>());
    let door = find.door.map(door_name);
    let mut values: Vec<&dyn ToSql> = vec![&door, &find.channel, &find.limit, &find.skip];
    values.extend(words.iter().map(|word| word as &dyn ToSql));
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(values.as_slice())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(listed(row)?);
    }
    Ok(found)
}

pub(super) fn keys(db: &Connection, beginning: &str, limit: u32) -> Result<Vec<SessionKey>> {
    let mut statement = db.prepare_cached(KEYS)?;
    let rows = statement.query_map(params![beginning, limit], |row| row.get(0).map(SessionKey))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn listed(row: &Row<'_>) -> Result<Listed> {
    let door: String = row.get(5)?;
    let door = door_named(&door)
        .ok_or_else(|| StoreError::Backend(format!("a session lives behind the unknown door {door:?}")))?;
    Ok(Listed {
        key: SessionKey(row.get(0)?),
        title: row.get(1)?,
        updated_at: Timestamp(row.get(2)?),
        turns: unsigned(row.get(3)?),
        items: unsigned(row.get(4)?),
        door,
        channel: row.get(6)?,
        model: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::embedded::schema;

    #[test]
    fn a_search_walks_the_newest_sessions_and_sorts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let db = schema::connect_writer(&schema::prepare(dir.path()).unwrap()).unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {LISTED}{SAID}'word')){NEWEST}");
        let mut statement = db.prepare(&sql).unwrap();
        let none: Option<String> = None;
        let rows = statement.query_map(params![none, none, 20, 0], |row| row.get::<_, String>(3)).unwrap();
        let plan: Vec<String> = rows.map(std::result::Result::unwrap).collect();
        assert!(plan[0].contains("sessions_newest"), "{plan:?}");
        assert!(
            plan.iter().any(|line| line.starts_with("SEARCH said USING INTEGER PRIMARY KEY")),
            "{plan:?}"
        );
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:?}");
    }
}
