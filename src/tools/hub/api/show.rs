//! What the model reads of an endpoint, with a `curl` command that it can run.
//!
//! The command names the token's variable and never a token. Pure.

use std::fmt::Write as _;

use super::document::{Endpoint, Parameter};
use crate::text::cut;

/// Characters of a description.
const DESCRIPTION: usize = 300;
/// Answers that are shown.
const ANSWERS: usize = 3;
/// The header with the token, if the command has one.
const TOKEN: &str = "${HF_TOKEN:+-H \"Authorization: Bearer $HF_TOKEN\"}";

/// One line: what it is called and what it does.
pub(super) fn line(one: &Endpoint) -> String {
    let what = if one.summary.is_empty() { one.id.as_str() } else { one.summary.as_str() };
    format!("{} {}{}{what}", one.method, one.path, if what.is_empty() { "" } else { ": " })
}

/// All that is known of it. `number` counts the results, `score` says how well it fits.
pub(super) fn entry(hub: &str, one: &Endpoint, number: usize, score: Option<f64>) -> String {
    let mut out = format!("\n## {number}. {} {}\n", one.method, one.path);
    if let Some(score) = score {
        let _ = writeln!(out, "Score: {score:.2}");
    }
    if !one.summary.is_empty() {
        let _ = writeln!(out, "Summary: {}", one.summary);
    }
    if !one.description.is_empty() {
        let _ = writeln!(out, "Description: {}", cut(&one.description, DESCRIPTION));
    }
    if !one.tags.is_empty() {
        let _ = writeln!(out, "Tags: {}", one.tags.join(", "));
    }
    for (place, title) in [("path", "Path"), ("query", "Query"), ("header", "Header")] {
        let those: Vec<&Parameter> = one.parameters.iter().filter(|it| it.place == place).collect();
        if those.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{title} parameters:");
        for it in those {
            let need = if it.required { "required" } else { "optional" };
            let about = if it.about.is_empty() { String::new() } else { format!(": {}", it.about) };
            let example = it.example.as_ref().map_or_else(String::new, |text| format!(" (e.g. {text})"));
            let _ = writeln!(out, "- `{}` ({}, {need}){about}{example}", it.name, it.kind);
        }
    }
    let _ = write!(out, "```bash\n{}\n```\n", curl(hub, one));
    if !one.responses.is_empty() {
        out.push_str("Returns:\n");
        for answer in one.responses.iter().take(ANSWERS) {
            let kind = if answer.kind.is_empty() { String::new() } else { format!(" ({})", answer.kind) };
            let about = if answer.about.is_empty() { String::new() } else { format!(": {}", answer.about) };
            let _ = writeln!(out, "- {}{kind}{about}", answer.status);
        }
        if one.responses.len() > ANSWERS {
            let _ = writeln!(out, "- and {} more", one.responses.len() - ANSWERS);
        }
    }
    out
}

/// A command that calls it: parameters that it needs filled in with examples or `<name>`.
fn curl(hub: &str, one: &Endpoint) -> String {
    let value = |it: &Parameter| it.example.clone().unwrap_or_else(|| format!("<{}>", it.name));
    let mut path = one.path.clone();
    for it in one.parameters.iter().filter(|it| it.place == "path") {
        path = path.replace(&format!("{{{}}}", it.name), &value(it));
    }
    // What nobody described is to be filled in all the same.
    let path = path.replace('{', "<").replace('}', ">");
    let needed = one.parameters.iter().filter(|it| it.place == "query" && it.required);
    let query: Vec<String> = needed.map(|it| format!("{}={}", it.name, value(it))).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut lines = vec![
        format!("curl -X {}", one.method),
        quoted(&format!("{hub}{path}{query}")),
        // The shell fills it in, and leaves the header out where there is no token: the Hub refuses an empty one.
        TOKEN.to_owned(),
    ];
    for it in one.parameters.iter().filter(|it| it.place == "header" && it.required) {
        if !it.name.eq_ignore_ascii_case("authorization") {
            lines.push(format!("-H {}", quoted(&format!("{}: {}", it.name, value(it)))));
        }
    }
    if let Some(body) = &one.body {
        lines.push("-H 'Content-Type: application/json'".to_owned());
        lines.push(format!("-d {}", quoted(&body.to_string())));
    }
    lines.join(" \\\n  ")
}

/// In single quotes, so that a shell takes it as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''").replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_command_is_one_that_a_shell_takes_as_it_is_meant() {
        let parameter = |name: &str, place: &str, required: bool, example: Option<&str>| Parameter {
            name: name.to_owned(),
            place: place.to_owned(),
            kind: "string".to_owned(),
            required,
            about: String::new(),
            example: example.map(str::to_owned),
        };
        let one = Endpoint {
            method: "POST".to_owned(),
            path: "/api/jobs/{namespace}/{id}".to_owned(),
            id: "runJob".to_owned(),
            summary: String::new(),
            description: String::new(),
            tags: Vec::new(),
            parameters: vec![
                parameter("namespace", "path", true, Some("o'brien; rm -rf /")),
                parameter("id", "path", true, None),
                parameter("a", "query", true, Some("1")),
                parameter("b", "query", true, None),
                parameter("c", "query", false, Some("no")),
                parameter("X-Thing", "header", true, None),
                parameter("authorization", "header", true, None),
            ],
            body: Some(json!({ "it's": "$(whoami)" })),
            responses: Vec::new(),
        };
        let expected = [
            "curl -X POST \\",
            r"  'https://hub/api/jobs/o'\''brien; rm -rf //<id>?a=1&b=<b>' \",
            "  ${HF_TOKEN:+-H \"Authorization: Bearer $HF_TOKEN\"} \\",
            r"  -H 'X-Thing: <X-Thing>' \",
            r"  -H 'Content-Type: application/json' \",
            r#"  -d '{"it'\''s":"$(whoami)"}'"#,
        ];
        assert_eq!(curl("https://hub", &one).lines().collect::<Vec<_>>(), expected);
        assert_eq!(line(&one), "POST /api/jobs/{namespace}/{id}: runJob");
    }
}
