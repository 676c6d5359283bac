//! Slack's message text: what people type becomes the wire format, and who a text would notify.
//!
//! Never renders. Start at [`typed`] for what comes in and [`pings`] for what goes out.

use serde_json::{Value, json};

use super::state::State;

/// Turns what a person typed into the wire format: `@name` becomes a mention, stray `<>&` are escaped.
#[must_use]
pub fn typed(state: &State, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, taken) = match first {
            '<' => match control_sequence(rest) {
                Some(sequence) => (sequence.to_owned(), sequence.len()),
                None => ("&lt;".to_owned(), 1),
            },
            '>' => ("&gt;".to_owned(), 1),
            '&' if !["&amp;", "&lt;", "&gt;"].iter().any(|it| rest.starts_with(it)) => {
                ("&amp;".to_owned(), 1)
            }
            '@' if !out.ends_with(char::is_alphanumeric) => match mentioned(state, &rest[1..]) {
                Some((id, length)) => (format!("<@{id}>"), 1 + length),
                None => ("@".to_owned(), 1),
            },
            other => (other.to_string(), other.len_utf8()),
        };
        out.push_str(&piece);
        rest = &rest[taken..];
    }
    out
}

/// The longest name that `rest` begins with, and who bears it.
fn mentioned(state: &State, rest: &str) -> Option<(String, usize)> {
    let bot = (state.bot.name.as_str(), state.bot.user_id.as_str());
    let people = state.people.iter().map(|it| (it.name.as_str(), it.id.as_str()));
    std::iter::once(bot)
        .chain(people)
        .filter(|(name, _)| rest.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name)))
        .filter(|(name, _)| !rest[name.len()..].starts_with(|it: char| it.is_alphanumeric() || it == '_'))
        .max_by_key(|(name, _)| name.len())
        .map(|(name, id)| (id.to_owned(), name.len()))
}

/// The `<…>` at the start of `rest`, if Slack would read it as one.
fn control_sequence(rest: &str) -> Option<&str> {
    let after = rest.strip_prefix('<')?;
    let end = after.find('>')? + 1;
    let inner = &rest[1..end];
    let known = inner.starts_with(['@', '#', '!'])
        || inner.starts_with("http://")
        || inner.starts_with("https://")
        || inner.starts_with("mailto:");
    (known && inner.len() > 1 && !inner.contains(['<', '\n'])).then(|| &rest[..=end])
}

/// Whom this text would notify: user ids, `channel`, `here`, `everyone`, user-group ids.
#[must_use]
pub fn pings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('<') {
        let Some(sequence) = control_sequence(&text[at..]) else { continue };
        let inner = &sequence[1..sequence.len() - 1];
        let name = inner.split('|').next().unwrap_or_default();
        if let Some(user) = name.strip_prefix('@') {
            found.push(user.to_owned());
        } else if let Some(group) = name.strip_prefix("!subteam^") {
            found.push(group.to_owned());
        } else if let Some(all) = name.strip_prefix('!')
            && matches!(all, "channel" | "here" | "everyone" | "group")
        {
            found.push(all.to_owned());
        }
    }
    found
}

/// Adds whom this block would notify. `plain_text` notifies nobody.
pub fn pings_in_block(block: &Value, found: &mut Vec<String>) {
    match block {
        Value::Array(items) => items.iter().for_each(|it| pings_in_block(it, found)),
        Value::Object(map) => {
            let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
            let field = |name: &str| map.get(name).and_then(Value::as_str).unwrap_or_default();
            match kind {
                "mrkdwn" | "markdown" | "raw_text" => found.extend(pings(field("text"))),
                "user" => found.push(field("user_id").to_owned()),
                "usergroup" => found.push(field("usergroup_id").to_owned()),
                "broadcast" => found.push(field("range").to_owned()),
                _ => map.values().for_each(|it| pings_in_block(it, found)),
            }
        }
        _ => {}
    }
}

/// The `rich_text` block that Slack's own clients send along with what a person typed.
#[must_use]
pub fn rich_text(text: &str, id: &str) -> Value {
    let mut elements = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(user) = control_sequence(rest).filter(|_| rest.starts_with("<@")) {
            if !plain.is_empty() {
                elements.push(json!({"type": "text", "text": unescape(&std::mem::take(&mut plain))}));
            }
            let id = user[2..user.len() - 1].split('|').next().unwrap_or_default();
            elements.push(json!({"type": "user", "user_id": id}));
            rest = &rest[user.len()..];
        } else if let Some(next) = rest.chars().next() {
            plain.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    if !plain.is_empty() {
        elements.push(json!({"type": "text", "text": unescape(&plain)}));
    }
    json!({"type": "rich_text", "block_id": format!("rt{id}"),
           "elements": [{"type": "rich_text_section", "elements": elements}]})
}

/// Undoes Slack's escaping of `<`, `>` and `&`.
#[must_use]
pub fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unescaped_mentions_notify() {
        assert_eq!(
            pings("hi <@U1|al> and <!here> <!subteam^S1> <http://x> <!date^1^a|b>"),
            ["U1", "here", "S1"]
        );
        assert_eq!(pings("hi &lt;@U1&gt; @channel < !here>"), Vec::<String>::new());
        let mut found = Vec::new();
        let blocks = json!([{"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>"}},
            {"type": "header", "text": {"type": "plain_text", "text": "<!here>"}},
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U2"}]}]}]);
        pings_in_block(&blocks, &mut found);
        assert_eq!(found, ["channel", "U2"]);
    }

    #[test]
    fn rich_text_tells_mentions_from_words() {
        assert_eq!(
            rich_text("<@U1> a &lt; b", "1")["elements"][0]["elements"],
            json!([{"type": "user", "user_id": "U1"}, {"type": "text", "text": " a < b"}])
        );
        // A link's closing bracket is no beginning of anything.
        assert_eq!(
            rich_text("<https://a.example|b> c", "1")["elements"][0]["elements"],
            json!([{"type": "text", "text": "<https://a.example|b> c"}])
        );
    }
}
