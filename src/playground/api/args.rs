//! Arguments of one call, whichever way they came: query, form or JSON.
//!
//! Never looks at the state. Start at [`Args::read`].

use serde_json::{Map, Value};

use super::{Refusal, refuse};

/// How the body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// No body.
    Empty,
    /// URL-encoded.
    Form,
    /// JSON.
    Json,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Args {
    /// The token, from the header or the form; never logged.
    pub token: Option<String>,
    /// How the body came.
    pub kind: BodyKind,
    /// JSON came without a charset, which Slack warns about.
    pub no_charset: bool,
    /// The body could not be read; Slack's name for it.
    pub broken: Option<&'static str>,
    map: Map<String, Value>,
    from_query: Map<String, Value>,
}

fn pairs(encoded: &[u8]) -> Option<Map<String, Value>> {
    let parsed: Vec<(String, String)> = decode_form(encoded)?;
    Some(parsed.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

/// `application/x-www-form-urlencoded`, decoded.
pub fn decode_form(encoded: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(encoded).ok()?;
    text.split('&')
        .filter(|it| !it.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((percent(name)?, percent(value)?))
        })
        .collect()
}

fn percent(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                at += 2;
            }
            other => out.push(other),
        }
        at += 1;
    }
    String::from_utf8(out).ok()
}

impl Args {
    /// Reads query, body and the `Authorization` header's token.
    pub fn read(query: &str, content_type: &str, body: &[u8], bearer: Option<String>) -> Self {
        let from_query = pairs(query.as_bytes()).unwrap_or_default();
        let mut args = Self {
            token: bearer,
            kind: BodyKind::Empty,
            no_charset: false,
            broken: None,
            map: from_query.clone(),
            from_query,
        };
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if body.iter().all(u8::is_ascii_whitespace) {
            return args;
        }
        match media.as_str() {
            "application/json" => {
                args.kind = BodyKind::Json;
                args.no_charset = !content_type.to_ascii_lowercase().contains("charset");
                match serde_json::from_slice(body) {
                    Ok(Value::Object(map)) => args.map.extend(map),
                    Ok(_) => args.broken = Some("json_not_object"),
                    Err(_) => args.broken = Some("invalid_json"),
                }
            }
            "application/x-www-form-urlencoded" => {
                args.kind = BodyKind::Form;
                match pairs(body) {
                    Some(map) => args.map.extend(map),
                    None => args.broken = Some("invalid_form_data"),
                }
            }
            "multipart/form-data" => args.broken = Some("invalid_form_data"),
            _ => args.broken = Some("invalid_post_type"),
        }
        if let Some(Value::String(token)) = args.map.remove("token") {
            // A token in the query is not a token to Slack.
            let in_query = args.from_query.remove("token").is_some();
            if args.token.is_none() && !in_query && args.kind == BodyKind::Form {
                args.token = Some(token);
            }
        }
        args
    }

    /// Drops what a JSON body said, for methods that do not read JSON.
    pub fn forget_json(&mut self) {
        self.map = self.from_query.clone();
    }

    /// All of them, for the log.
    pub fn logged(&self) -> Value {
        let mut map = self.map.clone();
        for name in ["blocks", "view", "files", "chunks", "metadata", "prompts", "loading_messages"] {
            if let Some(Value::String(text)) = map.get(name)
                && let Ok(parsed) = serde_json::from_str::<Value>(text)
            {
                map.insert(name.to_owned(), parsed);
            }
        }
        map.remove("token");
        Value::Object(map)
    }

    /// A string; numbers and booleans as their text.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.map.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// A string that must be there.
    pub fn need(&self, name: &str) -> Result<String, Refusal> {
        match self.text(name) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(missing(name)),
        }
    }

    /// Whether a flag is set.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.text(name).as_deref(), Some("true" | "1" | "True"))
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }

    /// A nested value; forms carry it as JSON text.
    pub fn nested(&self, name: &str, otherwise: &str) -> Result<Option<Value>, Refusal> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(value) => Ok(Some(value)),
                Err(_) => refuse(otherwise),
            },
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// A nested list.
    pub fn list(&self, name: &str, otherwise: &str) -> Result<Option<Vec<Value>>, Refusal> {
        match self.nested(name, otherwise)? {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => refuse(otherwise),
        }
    }
}

/// Slack's refusal of a call that lacks an argument.
pub fn missing(name: &str) -> Refusal {
    Refusal::because("invalid_arguments", vec![format!("[ERROR] missing required field: {name}")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_json_say_the_same() {
        let form = Args::read(
            "",
            "application/x-www-form-urlencoded",
            b"channel=C1&blocks=%5B1%5D&x=a+b%C3%A9&token=t",
            None,
        );
        let json = Args::read(
            "",
            "application/json; charset=utf-8",
            br#"{"channel":"C1","blocks":[1],"x":"a b\u00e9"}"#,
            None,
        );
        assert_eq!(form.logged(), json.logged());
        assert_eq!(form.token.as_deref(), Some("t"));
        assert_eq!(form.list("blocks", "e").unwrap(), json.list("blocks", "e").unwrap());
        assert!(!json.no_charset);
    }

    #[test]
    fn a_broken_body_has_slacks_name() {
        for (media, body, error) in [
            ("application/json", "{", "invalid_json"),
            ("application/json", "[1]", "json_not_object"),
            ("text/xml", "<a/>", "invalid_post_type"),
            ("application/x-www-form-urlencoded", "a=%zz", "invalid_form_data"),
        ] {
            assert_eq!(Args::read("", media, body.as_bytes(), None).broken, Some(error), "{body}");
        }
    }
}
