//! Full-text ranking: rows of text, the best of which a query finds.
//!
//! `SQLite`'s FTS5 in memory (bm25, English stems), behind one type. The texts themselves are not kept, only
//! the index over them. Whatever a query holds, it is words to look for and never syntax. Blocking: call
//! it where that is allowed. Start at [`Index::new`].

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, params_from_iter};

/// Words of a query that count.
const WORDS: usize = 32;
/// Characters of a query that are looked at.
const QUERY: usize = 1_000;

/// A column of texts and how much a word in it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column(pub &'static str, pub f64);

/// A row that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hit {
    /// Its number, as it was put in.
    pub row: usize,
    /// How well it fits; more is better.
    pub score: f64,
}

/// An index over rows.
pub(super) struct Index {
    connection: Mutex<Connection>,
    put: String,
    find: String,
}

impl Index {
    /// An empty index with these columns.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub(super) fn new(columns: &[Column]) -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        let names: Vec<&str> = columns.iter().map(|column| column.0).collect();
        let names = names.join(", ");
        connection.execute_batch(&format!(
            "CREATE VIRTUAL TABLE page USING fts5({names}, content='', contentless_delete=1, \
             tokenize='porter unicode61 remove_diacritics 2')"
        ))?;
        let weights: Vec<String> = columns.iter().map(|column| format!("{:?}", column.1)).collect();
        let places: Vec<String> = (2..columns.len() + 2).map(|place| format!("?{place}")).collect();
        Ok(Self {
            connection: Mutex::new(connection),
            put: format!("INSERT OR REPLACE INTO page(rowid, {names}) VALUES (?1, {})", places.join(", ")),
            find: format!(
                "SELECT rowid, bm25(page, {}) AS score FROM page WHERE page MATCH ?1 ORDER BY score, rowid LIMIT ?2",
                weights.join(", ")
            ),
        })
    }

    /// Puts rows in, or in the place of those of the same number: one text for each column.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub(super) fn put(&self, rows: impl IntoIterator<Item = (usize, Vec<String>)>) -> rusqlite::Result<()> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        {
            let mut statement = transaction.prepare_cached(&self.put)?;
            for (row, texts) in rows {
                let number = i64::try_from(row).unwrap_or(i64::MAX).to_string();
                let texts = texts.into_iter().map(|text| with_parts(&text));
                statement.execute(params_from_iter(std::iter::once(number).chain(texts)))?;
            }
        }
        transaction.commit()
    }

    /// The rows in which any word of the query occurs, the best first; none if it holds no word.
    ///
    /// # Errors
    /// When the index is damaged.
    pub(super) fn find(&self, query: &str, most: usize) -> rusqlite::Result<Vec<Hit>> {
        let Some(wanted) = wanted(query) else { return Ok(Vec::new()) };
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached(&self.find)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let hits = statement.query_map((wanted, most), |row| {
            let (number, score): (i64, f64) = (row.get(0)?, row.get(1)?);
            // SQLite counts downwards: the best is the most negative.
            Ok(Hit { row: usize::try_from(number).unwrap_or(0), score: -score })
        })?;
        hits.collect()
    }
}

/// Any of the query's words, as FTS5 reads it: each in quotes, so that nothing in it is an operator.
fn wanted(query: &str) -> Option<String> {
    let query: String = query.chars().take(QUERY).collect();
    let query = with_parts(&query);
    let mut seen = BTreeSet::new();
    let words: Vec<String> = query
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && seen.insert(word.to_lowercase()))
        .take(WORDS)
        .map(|word| format!("\"{word}\""))
        .collect();
    (!words.is_empty()).then(|| words.join(" OR "))
}

/// The text, and behind it the parts of names that are written together: `SFTTrainer` is found by
/// "SFT trainer", too.
fn with_parts(text: &str) -> String {
    let mut out = text.to_owned();
    let mut seen = BTreeSet::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        // Names are short; a long run of letters is data.
        if word.len() > 60 || !seen.insert(word) {
            continue;
        }
        let parts = parts(word);
        if parts.len() > 1 {
            for part in parts {
                out.push(' ');
                out.push_str(part);
            }
        }
    }
    out
}

/// `SFTTrainer` → `SFT`, `Trainer`; `maxSteps` → `max`, `Steps`.
fn parts(word: &str) -> Vec<&str> {
    let letters: Vec<(usize, char)> = word.char_indices().collect();
    let mut parts = Vec::new();
    let mut start = 0;
    for at in 1..letters.len() {
        let (before, here) = (letters[at - 1].1, letters[at].1);
        let next_is_small = letters.get(at + 1).is_some_and(|(_, next)| next.is_lowercase());
        let begins = here.is_uppercase() && (before.is_lowercase() || before.is_uppercase() && next_is_small);
        if begins {
            parts.push(&word[start..letters[at].0]);
            start = letters[at].0;
        }
    }
    parts.push(&word[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(rows: &[(&str, &str)]) -> Index {
        let index = Index::new(&[Column("title", 2.0), Column("content", 1.0)]).unwrap();
        let rows = rows.iter().map(|(title, content)| vec![(*title).to_owned(), (*content).to_owned()]);
        index.put(rows.enumerate()).unwrap();
        index
    }

    fn found(index: &Index, query: &str) -> Vec<usize> {
        index.find(query, 10).unwrap().into_iter().map(|hit| hit.row).collect()
    }

    #[test]
    fn titles_count_twice_stems_are_one_word_and_any_word_will_do() {
        let index = index(&[
            ("Installation", "how to install it with pip"),
            ("Other", "a page that says trainer once among many other words that are not about it"),
            ("SFTTrainer", "supervised fine-tuning"),
            ("DPO Trainer", "preferences and beta"),
            ("Nothing", "of the kind"),
        ]);
        assert_eq!(found(&index, "trainers"), [3, 2, 1]);
        assert_eq!(found(&index, "sft trainer")[0], 2, "names written together are found by their parts");
        assert_eq!(found(&index, "SFTTrainer")[0], 2);
        assert_eq!(found(&index, "installing"), [0]);
        assert_eq!(found(&index, "beta installation zebra").len(), 2, "any of the words");
        assert_eq!(found(&index, "zebra"), Vec::<usize>::new());
        let hits = index.find("trainer beta", 1).unwrap();
        assert!(hits.len() == 1 && hits[0].row == 3 && hits[0].score > 0.0, "{hits:?}");
    }

    #[test]
    fn a_row_that_is_put_again_takes_the_place_of_the_old_one() {
        let index = index(&[("Alpha", ""), ("Beta", "")]);
        index.put([(0, vec!["Alpha".to_owned(), "zebra".to_owned()])]).unwrap();
        assert_eq!(found(&index, "zebra"), [0]);
        assert_eq!(found(&index, "alpha"), [0]);
    }

    #[test]
    fn names_are_taken_apart_where_people_would() {
        for (word, expected) in [
            ("SFTTrainer", vec!["SFT", "Trainer"]),
            ("maxSteps", vec!["max", "Steps"]),
            ("HTTP", vec!["HTTP"]),
            ("word", vec!["word"]),
            ("Éa", vec!["Éa"]),
            ("", vec![""]),
        ] {
            assert_eq!(parts(word), expected);
        }
    }

    proptest! {
        #[test]
        fn no_query_is_a_syntax_error(query in any::<String>()) {
            let index = index(&[("Alpha", "beta \" NEAR AND")]);
            prop_assert!(index.find(&query, 5).is_ok());
        }

        #[test]
        fn not_even_one_made_of_syntax(query in r#"["'()*:^{}+\-]{0,12}(AND|OR|NOT|NEAR/3| title:|)[a-z"*]{0,6}"#) {
            let index = index(&[("Alpha", "beta")]);
            prop_assert!(index.find(&query, 5).is_ok());
        }
    }
}
