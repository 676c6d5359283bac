//! The world of the playground: an account for the bot, a small dataset, a base model to beat, papers
//! that fit, and pages of documentation. All of it was written for this; nothing of it is elsewhere.
//!
//! Never starts anything. Start at [`HubOptions::playground`] and [`furnish`].

use serde_json::Value;

use super::collections::{Collection, Item};
use super::docs::{Library, Page};
use super::options::{AccountSeed, HubOptions, OrgRole, OrgSeed, TokenRole};
use super::papers::{Cites, Html, Paper, Section};
use super::seed::RepoSeed;
use super::state::{Kind, State};
use crate::clock::{Clock, Timestamp};

/// The organisation of the demonstration.
pub const ORG: &str = "ml-intern-demo";
/// The bot's account on the Hub.
pub const BOT: &str = "ml-intern-bot";

impl HubOptions {
    /// The playground's Hub: the bot with a token made anew, which may write in `ml-intern-demo`, and
    /// two people.
    #[must_use]
    pub fn playground(clock: Clock) -> Self {
        let fresh = || {
            format!(
                "hf_{}",
                &format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())[..34]
            )
        };
        let account = |name: &str, fullname: &str| AccountSeed {
            name: name.to_owned(),
            fullname: fullname.to_owned(),
            tokens: vec![(fresh(), TokenRole::Write)],
            can_pay: true,
        };
        let member = |name: &str, role| (name.to_owned(), role);
        Self {
            accounts: vec![
                account(BOT, "ml-intern"),
                account("alice", "Alice Moreau"),
                account("bob", "Bob Lindqvist"),
            ],
            orgs: vec![OrgSeed {
                name: ORG.to_owned(),
                fullname: "ml-intern demonstration".to_owned(),
                members: vec![
                    member(BOT, OrgRole::Write),
                    member("alice", OrgRole::Admin),
                    member("bob", OrgRole::Write),
                ],
                can_pay: true,
            }],
            ..Self::new(clock)
        }
    }
}

/// Puts the world into a Hub: papers and documentation always, repos where their owner has an account.
pub fn furnish(state: &mut State, now: Timestamp) -> anyhow::Result<()> {
    state.papers = papers(include_str!("papers.json"))?;
    state.docs = docs(include_str!("docs.json"))?;
    RepoSeed::new(Kind::Space, "burtenshaw/sandbox")
        .file("Dockerfile", "FROM python:3.12-slim\nEXPOSE 7860\n")
        .asked(serde_json::json!({"sdk": "docker"}))
        .put(state, now);
    if !state.has_namespace(ORG) {
        return Ok(());
    }
    RepoSeed::new(Kind::Dataset, "ml-intern-demo/reviews")
        .file("README.md", include_str!("reviews.md"))
        .file("data/train.csv", include_str!("reviews_train.csv"))
        .file("data/test.csv", include_str!("reviews_test.csv"))
        .known(1840, 26)
        .put(state, now);
    RepoSeed::new(Kind::Model, "ml-intern-demo/majority-baseline")
        .file("README.md", include_str!("base_model.md"))
        .file("config.json", include_str!("base_model.json"))
        .known(310, 4)
        .put(state, now);
    let item = |object_id, kind: &str, id: &str, note: &str| Item {
        object_id,
        kind: kind.to_owned(),
        id: id.to_owned(),
        note: Some(note.to_owned()),
    };
    let items = vec![
        item(state.fresh_id(), "paper", "2609.90011", "The recipe"),
        item(state.fresh_id(), "dataset", "ml-intern-demo/reviews", "What it was measured on"),
    ];
    let slug = format!("{ORG}/small-sentiment-{}", state.fresh_id());
    state.collections.push(Collection {
        slug,
        title: "Small sentiment".to_owned(),
        description: Some("A paper, its data, and something to beat.".to_owned()),
        owner: ORG.to_owned(),
        private: false,
        theme: "green".to_owned(),
        items,
        updated: now,
    });
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn papers(source: &str) -> anyhow::Result<Vec<Paper>> {
    let list: Vec<Value> = serde_json::from_str(source)?;
    let section =
        |it: &Value| Section { number: text(&it[0]), title: text(&it[1]), paragraphs: texts(&it[2]) };
    let cites = |it: &Value| Cites {
        id: text(&it[0]),
        contexts: texts(&it[1]),
        intent: text(&it[2]),
        influential: it[3] == true,
    };
    let paper = |it: &Value| Paper {
        id: text(&it["id"]),
        title: text(&it["title"]),
        authors: texts(&it["authors"]),
        summary: text(&it["summary"]),
        published: text(&it["published"]),
        daily: text(&it["daily"]),
        upvotes: it["upvotes"].as_u64().unwrap_or_default(),
        keywords: texts(&it["keywords"]),
        tldr: text(&it["tldr"]),
        github: it["github"].as_array().map(|it| (text(&it[0]), it[1].as_u64().unwrap_or_default())),
        venue: text(&it["venue"]),
        cited: it["cited"].as_u64().unwrap_or_default(),
        html: match it["html"].as_str() {
            Some("arxiv") => Html::Arxiv,
            Some("ar5iv") => Html::Ar5iv,
            _ => Html::Nowhere,
        },
        sections: it["sections"].as_array().into_iter().flatten().map(section).collect(),
        cites: it["cites"].as_array().into_iter().flatten().map(cites).collect(),
    };
    Ok(list.iter().map(paper).collect())
}

fn docs(source: &str) -> anyhow::Result<Vec<Library>> {
    let libraries: serde_json::Map<String, Value> = serde_json::from_str(source)?;
    let page = |it: &Value| Page {
        path: text(&it[0]),
        title: text(&it[1]),
        group: text(&it[2]),
        text: text(&it[3]),
    };
    let library = |(name, pages): (&String, &Value)| Library {
        name: name.clone(),
        pages: pages.as_array().into_iter().flatten().map(page).collect(),
    };
    Ok(libraries.iter().map(library).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_holds_together() {
        let options = HubOptions::playground(Clock::manual(Timestamp(1_764_000_000_000)));
        let mut state = State::new(&options);
        furnish(&mut state, Timestamp(1_764_000_000_000)).unwrap();
        assert!(
            state.papers.len() >= 5
                && state.papers.iter().all(|it| !it.title.is_empty() && it.published.len() == 10)
        );
        for paper in &state.papers {
            for cited in &paper.cites {
                assert!(state.papers.iter().any(|it| it.id == cited.id), "{} cites nobody", paper.id);
            }
        }
        assert!(state.docs.iter().all(|it| it.pages.iter().all(|page| page.text.starts_with("# "))));
        let train = state.file(Kind::Dataset, "ml-intern-demo/reviews", "main", "data/train.csv").unwrap();
        assert_eq!(train.iter().filter(|it| **it == b'\n').count(), 121);
        let tokens: Vec<&String> =
            options.accounts.iter().flat_map(|it| &it.tokens).map(|it| &it.0).collect();
        assert!(tokens.iter().all(|it| it.len() == 37 && it.starts_with("hf_")));
    }
}
