//! What people should know before they choose a model: what the catalogue says, in words.
//!
//! Pure. Remarks are warnings, never refusals: catalogues are incomplete. Start at [`describe`].

use super::Facts;
use super::catalogue::name_and_tag;
use super::listing::{Entry, Listing, Offer, is_policy};
use super::provider::{Home, Target};
use crate::text::nearest;

/// Models that serve an agent well, to be suggested where a key and the catalogue allow.
pub const SUGGESTED: [&str; 8] = [
    "anthropic/claude-opus-4.8:fal-ai",
    "anthropic/claude-opus-4-8",
    "openai/gpt-5.5:fal-ai",
    "openai/gpt-5.5",
    "moonshotai/Kimi-K2.6:novita",
    "MiniMaxAI/MiniMax-M2.7:novita",
    "zai-org/GLM-5.1:novita",
    "deepseek-ai/DeepSeek-V4-Pro:novita",
];

/// The most providers that are named.
const NAMED: usize = 6;

/// Whose machine a model runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// A provider's.
    Provider,
    /// One's own.
    Own,
}

/// What people should know before they choose a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Window, price, tools.
    pub facts: Facts,
    /// What they should look at first, in sentences.
    pub remarks: Vec<String>,
    /// Who serves it and at what price, a line each.
    pub offers: Vec<String>,
    /// Whether its provider's catalogue lists it; `None` if there is no catalogue to ask.
    pub listed: Option<bool>,
    /// Where it runs.
    pub host: Host,
}

impl Default for Described {
    fn default() -> Self {
        Self {
            facts: Facts::ASSUMED,
            remarks: Vec::new(),
            offers: Vec::new(),
            listed: None,
            host: Host::Provider,
        }
    }
}

/// Describes what a target's catalogue says of it; `None` for a listing that could not be had.
pub(super) fn describe(target: &Target, listing: Option<&Listing>, facts: Facts) -> Described {
    let host = if matches!(target.home, Home::Local(_)) { Host::Own } else { Host::Provider };
    let mut described = Described { facts, host, ..Described::default() };
    match (target.home, listing) {
        (Home::Router, Some(listing)) => routed(target, listing, &mut described),
        (Home::Router, None) => {
            described
                .remarks
                .push("The router's catalogue does not answer, so little is known of this model.".to_owned());
        }
        (Home::Local(_), Some(listing)) => {
            described.listed = Some(listing.find(&target.name).is_some());
            if described.listed == Some(false) {
                let near = nearest(&target.name, listing.ids());
                described.remarks.push(format!(
                    "The server does not list `{}`.{}",
                    target.name,
                    meant(&near)
                ));
            }
        }
        _ => {}
    }
    if facts.tools == Some(false) {
        described.remarks.push("It cannot call tools: it could talk, but do nothing.".to_owned());
    }
    if facts.price.is_none() && described.listed != Some(false) {
        described.remarks.push(
            "Nobody knows what it costs. Name a `:provider` with a price, or set one in `budgets.prices`."
                .to_owned(),
        );
    }
    described
}

fn routed(target: &Target, listing: &Listing, described: &mut Described) {
    let (name, tag) = name_and_tag(target);
    let Some(entry) = listing.find(name) else {
        described.listed = Some(false);
        let near = nearest(name, listing.ids());
        described.remarks.push(format!("The router does not list `{name}`.{}", meant(&near)));
        return;
    };
    described.listed = Some(true);
    described.offers = entry.offers.iter().filter(|offer| offer.live).take(NAMED).map(line).collect();
    if let Some(why) = not_served(entry, tag) {
        described.remarks.push(why);
    }
}

fn not_served(entry: &Entry, tag: Option<&str>) -> Option<String> {
    let live: Vec<&str> =
        entry.offers.iter().filter(|offer| offer.live).map(|offer| offer.provider.as_str()).collect();
    if live.is_empty() {
        return Some("No provider serves it now.".to_owned());
    }
    let pinned = tag.filter(|tag| !is_policy(tag))?;
    let serves = live.iter().any(|provider| provider.eq_ignore_ascii_case(pinned));
    (!serves).then(|| {
        let names: Vec<&str> = live.into_iter().take(NAMED).collect();
        format!("`{pinned}` does not serve it now; these do: {}.", names.join(", "))
    })
}

fn line(offer: &Offer) -> String {
    let mut parts = vec![offer.price.map_or_else(|| "price unknown".to_owned(), |price| price.to_string())];
    parts.extend(offer.window.map(|window| format!("{window} tokens")));
    if offer.tools == Some(false) {
        parts.push("no tools".to_owned());
    }
    format!("{}: {}", offer.provider, parts.join(", "))
}

fn meant(near: &[String]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    format!(" Did you mean {}?", quoted.join(" or "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::provider::Dialect;
    use super::*;
    use crate::protocol::Price;
    use crate::secret::Secret;

    fn told(home: Home, name: &str, facts: Facts) -> Described {
        let target = Target {
            home,
            dialect: Dialect::OpenAi,
            base_url: String::new(),
            key: Secret::new("k"),
            name: name.to_owned(),
        };
        let offer = |provider: &str, status: &str| {
            json!({"provider": provider, "status": status, "context_length": 1000,
                   "pricing": {"input": 1, "output": 2}, "supports_tools": true})
        };
        let body = json!({"data": [
            {"id": "zai-org/GLM-5.1", "providers": [offer("novita", "live"), offer("old", "error")]},
            {"id": "moonshotai/Kimi-K2.6", "providers": [offer("old", "error")]},
        ]});
        let listing = Listing::read(body.to_string().as_bytes());
        describe(&target, listing.as_ref(), facts)
    }

    #[test]
    fn warnings_say_what_is_odd_and_what_to_do() {
        let fine = Facts { price: Some(Price::FREE), ..Facts::ASSUMED };
        let table = [
            ("zai-org/GLM-5.1", fine, ""),
            ("zai-org/GLM-5.1:fastest", fine, ""),
            ("zai-org/GLM-5.1:NOVITA", fine, ""),
            ("zai-org/GLM-5.1:old", fine, "`old` does not serve it now; these do: novita."),
            (
                "zai-org/GLM-5",
                fine,
                "The router does not list `zai-org/GLM-5`. Did you mean `zai-org/GLM-5.1`?",
            ),
            ("moonshotai/Kimi-K2.6", fine, "No provider serves it now."),
            (
                "zai-org/GLM-5.1",
                Facts { tools: Some(false), ..fine },
                "It cannot call tools: it could talk, but do nothing.",
            ),
        ];
        for (name, facts, expected) in table {
            assert_eq!(told(Home::Router, name, facts).remarks.join(" | "), expected, "{name}");
        }
        let described = told(Home::Router, "zai-org/GLM-5.1", Facts::ASSUMED);
        assert!(described.remarks[0].contains("budgets.prices"));
        assert_eq!(described.offers, ["novita: $1.00 in, $2.00 out per million tokens, 1000 tokens"]);
        let far = told(Home::Router, "x/y", fine);
        assert_eq!((far.listed, far.remarks[0].as_str()), (Some(false), "The router does not list `x/y`."));
        assert_eq!(told(Home::Anthropic, "claude", fine), Described { facts: fine, ..Described::default() });
    }
}
