//! What a repo's README says of it: the card's fields, and the tags that the Hub makes of them.
//!
//! Never fails: a card that cannot be read is none, as on the Hub. Start at [`Card::of`].

use serde_json::{Map, Value};

use super::repo::Repo;
use super::state::State;
use super::yaml;

/// A repo's card.
#[derive(Debug, Clone, Default)]
pub struct Card {
    /// The fields between the `---` lines.
    pub data: Map<String, Value>,
    /// The text below them.
    pub text: String,
}

impl Card {
    /// The card on a repo's main branch.
    pub fn of(state: &State, repo: &Repo) -> Self {
        let entry = repo.files("main").and_then(|it| it.get("README.md").cloned());
        let content = entry.and_then(|it| state.content(repo, &it));
        content.map(|it| Self::read(&String::from_utf8_lossy(&it))).unwrap_or_default()
    }

    /// Reads a README.
    pub fn read(readme: &str) -> Self {
        let readme = readme.replace("\r\n", "\n");
        let parts = readme.strip_prefix("---\n").and_then(|it| it.split_once("\n---"));
        let Some((front, text)) = parts else { return Self { data: Map::new(), text: readme } };
        match yaml::read(front) {
            Some(Value::Object(data)) => Self { data, text: text.trim().to_owned() },
            _ => Self { data: Map::new(), text: text.trim().to_owned() },
        }
    }

    /// All words of a field that is one word or a list of them.
    pub fn words(&self, field: &str) -> Vec<String> {
        match self.data.get(field) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => {
                many.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The first word of a field.
    pub fn word(&self, field: &str) -> Option<String> {
        self.words(field).into_iter().next()
    }

    /// Tags as the Hub makes them of a card.
    pub fn tags(&self) -> Vec<String> {
        let mut tags: Vec<String> = self.word("library_name").into_iter().collect();
        tags.extend(self.words("tags"));
        tags.extend(self.words("language"));
        tags.extend(self.word("pipeline_tag"));
        let prefixed = [
            ("license", "license"),
            ("datasets", "dataset"),
            ("base_model", "base_model"),
            ("task_categories", "task_categories"),
            ("task_ids", "task_ids"),
            ("size_categories", "size_categories"),
        ];
        for (field, prefix) in prefixed {
            tags.extend(self.words(field).into_iter().map(|it| format!("{prefix}:{it}")));
        }
        tags.extend(arxiv_ids(&self.text).into_iter().map(|it| format!("arxiv:{it}")));
        let mut once = Vec::new();
        for tag in tags {
            if !once.contains(&tag) {
                once.push(tag);
            }
        }
        once
    }
}

/// arXiv numbers in links of a text.
fn arxiv_ids(text: &str) -> Vec<String> {
    let starts = ["arxiv.org/abs/", "arxiv.org/pdf/", "/papers/"];
    let mut found = Vec::new();
    for start in starts {
        for (at, _) in text.match_indices(start) {
            let rest = &text[at + start.len()..];
            let id: String = rest.chars().take_while(|it| it.is_ascii_digit() || *it == '.').collect();
            let id = id.trim_end_matches('.').to_owned();
            if id.len() >= 9 && id.contains('.') {
                found.push(id);
            }
        }
    }
    found
}
