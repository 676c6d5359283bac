//! Slack's markup to text that a model can read.

use std::collections::BTreeMap;

/// User ids mentioned in a text, in order, each once.
#[must_use]
pub fn mentioned(text: &str) -> Vec<String> {
    let mut people = Vec::new();
    for tag in tags(text) {
        if let Some(id) = user_id(tag)
            && !people.iter().any(|known| known == id)
        {
            people.push(id.to_owned());
        }
    }
    people
}

/// Whether a text is said to the people that it mentions, and not only about them: it begins with a
/// mention, a greeting aside, or is hardly more than one.
#[must_use]
pub fn speaks_to_those_mentioned(text: &str) -> bool {
    const GREETINGS: [&str; 8] = ["hey", "hi", "hello", "ok", "okay", "thanks", "yes", "no"];
    const HARDLY_MORE: usize = 4;
    if mentioned(text).is_empty() {
        return false;
    }
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let mut words = text.split_whitespace().peekable();
    while words.next_if(|word| GREETINGS.contains(&plain(word).as_str())).is_some() {}
    words.peek().is_some_and(|word| word.starts_with("<@")) || text.split_whitespace().count() <= HARDLY_MORE
}

/// The text without mentions of `user`, trimmed.
#[must_use]
pub fn without_mention_of(text: &str, user: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("<@") {
        let Some(end) = rest[start..].find('>').map(|end| start + end) else { break };
        if user_id(&rest[start + 1..end]) == Some(user) {
            let before = &rest[..start];
            left.push_str(before);
            rest = &rest[end + 1..];
            // "ask <@U1> about it" must not keep two blanks.
            if (left.is_empty() || left.ends_with(char::is_whitespace)) && rest.starts_with(' ') {
                rest = &rest[1..];
            }
        } else {
            left.push_str(&rest[..=end]);
            rest = &rest[end + 1..];
        }
    }
    left.push_str(rest);
    left.trim().to_owned()
}

/// Slack's markup as plain text: `@name`, `#channel`, `label (url)`, and `&`, `<`, `>` decoded.
/// People without a name in `names` stay as `@U…`.
#[must_use]
pub fn readable(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        out.push_str(&decode(&rest[..start]));
        let Some(end) = rest[start..].find('>').map(|end| start + end) else {
            rest = &rest[start..];
            break;
        };
        out.push_str(&spell(&rest[start + 1..end], names));
        rest = &rest[end + 1..];
    }
    out.push_str(&decode(rest));
    out
}

fn spell(tag: &str, names: &BTreeMap<String, String>) -> String {
    let (target, label) = match tag.split_once('|') {
        Some((target, label)) => (target, Some(decode(label))),
        None => (tag, None),
    };
    if let Some(id) = user_id(tag) {
        return format!("@{}", names.get(id).map(String::as_str).or(label.as_deref()).unwrap_or(id));
    }
    if let Some(channel) = target.strip_prefix('#') {
        return format!("#{}", label.as_deref().filter(|label| !label.is_empty()).unwrap_or(channel));
    }
    if let Some(special) = target.strip_prefix('!') {
        let word = special.split('^').next().unwrap_or(special);
        return label.unwrap_or_else(|| format!("@{word}"));
    }
    let url = decode(target);
    match label {
        Some(label) if label != url && !url.ends_with(&format!("//{label}")) => {
            if url.strip_prefix("mailto:") == Some(label.as_str()) {
                label
            } else {
                format!("{label} ({url})")
            }
        }
        _ => url,
    }
}

fn decode(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').skip(1).filter_map(|part| part.split_once('>').map(|(tag, _)| tag))
}

fn user_id(tag: &str) -> Option<&str> {
    let id = tag.strip_prefix('@')?;
    let id = id.split('|').next().unwrap_or(id);
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text_that_a_model_can_read() {
        let names = BTreeMap::from([("U1".to_owned(), "alice".to_owned())]);
        for (markup, text) in [
            ("hi <@U1> and <@U2>", "hi @alice and @U2"),
            ("<@U2|bob> said", "@bob said"),
            ("see <#C1|general> or <#C2>", "see #general or #C2"),
            ("<https://x.org/a?b=1&amp;c=2>", "https://x.org/a?b=1&c=2"),
            ("<https://x.org|the page>", "the page (https://x.org)"),
            ("<http://x.org|x.org>", "http://x.org"),
            ("<mailto:a@b.c|a@b.c>", "a@b.c"),
            ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
            ("<!here> <!subteam^S1|@ml>", "@here @ml"),
            ("if a < b", "if a < b"),
            ("", ""),
        ] {
            assert_eq!(readable(markup, &names), text, "{markup}");
        }
    }

    #[test]
    fn our_own_mention_goes_and_others_stay() {
        assert_eq!(without_mention_of("<@UB> train it", "UB"), "train it");
        assert_eq!(without_mention_of("ask <@UB> about <@U1>", "UB"), "ask about <@U1>");
        assert_eq!(without_mention_of("<@UB|ml-intern>", "UB"), "");
        assert_eq!(without_mention_of("broken <@UB", "UB"), "broken <@UB");
        assert_eq!(mentioned("<@U1> <@U2|b> <@U1> <#C1>"), ["U1", "U2"]);
    }
}
