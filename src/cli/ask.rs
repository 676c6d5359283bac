//! Answers to an approval: what was typed, and editing a call before it runs.
//!
//! Owns the reading of an answer and the round trip through an editor. Never decides for a person.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;

use super::render::question;
use crate::protocol::{ApprovalRequest, AskedCall, CallId, Verdict};

/// What a typed answer means.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// This.
    Verdict(Verdict),
    /// Change the calls first.
    Edit,
    /// Nothing yet; the text says why.
    Again(&'static str),
}

/// Reads a typed answer. Whatever is no known word is a refusal with these words as its reason.
#[must_use]
pub fn read(answer: &str, request: &ApprovalRequest) -> Answer {
    let answer = answer.trim();
    match answer.to_lowercase().as_str() {
        "" => Answer::Again("Type y, n, e, or what to do instead."),
        "y" | "yes" => Answer::Verdict(Verdict::Approve),
        "n" | "no" => Answer::Verdict(Verdict::Reject { reason: None }),
        "a" | "always" if question::alike(request).is_some() => Answer::Verdict(Verdict::ApproveForSession),
        "a" | "always" => Answer::Again("This may not be allowed for the whole session; y allows it once."),
        "e" | "edit" if request.grant.is_some() => {
            Answer::Again("There is nothing to edit: y goes on, n stops.")
        }
        "e" | "edit" => Answer::Edit,
        _ => Answer::Verdict(Verdict::Reject { reason: Some(answer.to_owned()) }),
    }
}

/// Lets a person change each call in their editor; blocks until they are done.
///
/// # Errors
/// There is no editor, it failed, or the arguments are no JSON object any more.
pub fn edit(request: &ApprovalRequest, editor: Option<&str>, folder: &Path) -> anyhow::Result<Verdict> {
    let Some(editor) = editor else { bail!("set EDITOR (or VISUAL) to an editor, to change a call") };
    let mut changed: BTreeMap<CallId, Value> = BTreeMap::new();
    for call in &request.calls {
        let before = text_of(call)?;
        let after = in_editor(&before, suffix(call), editor, folder)?;
        if after.trim_end() != before.trim_end() {
            changed.insert(call.call.clone(), arguments_of(call, &after)?);
        }
    }
    Ok(if changed.is_empty() { Verdict::Approve } else { Verdict::Edit { arguments: changed } })
}

/// The text that people edit: the one argument made for it, or all of them as JSON.
pub(super) fn text_of(call: &AskedCall) -> anyhow::Result<String> {
    match call.editable.as_deref().and_then(|name| call.arguments.get(name)).and_then(Value::as_str) {
        Some(text) => Ok(text.to_owned()),
        None => Ok(serde_json::to_string_pretty(&call.arguments)?),
    }
}

fn arguments_of(call: &AskedCall, text: &str) -> anyhow::Result<Value> {
    if let Some(name) = &call.editable
        && call.arguments.get(name).is_some_and(Value::is_string)
    {
        let mut arguments = call.arguments.clone();
        if let Some(slot) = arguments.get_mut(name) {
            *slot = Value::from(text.trim_end_matches('\n'));
        }
        return Ok(arguments);
    }
    let arguments: Value = serde_json::from_str(text).context("that is not valid JSON")?;
    if !arguments.is_object() {
        bail!("the arguments must be one JSON object");
    }
    Ok(arguments)
}

fn suffix(call: &AskedCall) -> &'static str {
    match (call.editable.is_some(), call.language.as_str()) {
        (false, _) => "json",
        (true, "python") => "py",
        (true, "sh") => "sh",
        (true, _) => "txt",
    }
}

fn in_editor(text: &str, suffix: &str, editor: &str, folder: &Path) -> anyhow::Result<String> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let path = folder.join(format!("edit-{}.{suffix}", uuid::Uuid::new_v4().simple()));
    let outcome = (|| {
        new_private_file(&path)?.write_all(text.as_bytes())?;
        // `EDITOR` may hold arguments ("code --wait"), so the shell takes it apart.
        let status = std::process::Command::new("sh")
            .args(["-c", &format!("{editor} \"$1\""), "editor"])
            .arg(&path)
            .status()
            .with_context(|| format!("{editor} could not be started"))?;
        if !status.success() {
            bail!("{editor} failed; nothing was changed");
        }
        Ok(std::fs::read_to_string(&path)?)
    })();
    let _ = std::fs::remove_file(&path);
    outcome
}

fn new_private_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::render::question::tests::request;
    use super::*;

    #[test]
    fn answers_are_read_as_people_mean_them() {
        let one = request(&["ls"]);
        let verdict = |answer: &str| match read(answer, &one) {
            Answer::Verdict(verdict) => verdict,
            other => panic!("{answer}: {other:?}"),
        };
        assert_eq!(verdict(" Y "), Verdict::Approve);
        assert_eq!(verdict("yes"), Verdict::Approve);
        assert_eq!(verdict("No"), Verdict::Reject { reason: None });
        assert_eq!(verdict("a"), Verdict::ApproveForSession);
        let kept = "Use the README in Docs/, not ls";
        assert_eq!(verdict(kept), Verdict::Reject { reason: Some(kept.to_owned()) }, "its case is kept");
        assert_eq!(read("e", &one), Answer::Edit);
        assert!(matches!(read("  ", &one), Answer::Again(_)));
        let mut never = one;
        never.calls[0].alike = None;
        assert!(matches!(read("always", &never), Answer::Again(_)));
    }

    #[test]
    fn a_command_is_edited_as_text_and_the_rest_of_the_call_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = request(&["ls build"]);
        one.calls[0].arguments = json!({"command": "ls build", "timeout_s": 5});
        let verdict = edit(&one, Some("sed -i s/build/dist/"), folder.path()).unwrap();
        let arguments = BTreeMap::from([("c0".into(), json!({"command": "ls dist", "timeout_s": 5}))]);
        assert_eq!(verdict, Verdict::Edit { arguments });
        assert_eq!(edit(&one, Some("true"), folder.path()).unwrap(), Verdict::Approve, "nothing was changed");
        assert!(edit(&one, Some("false"), folder.path()).is_err());
        assert!(edit(&one, None, folder.path()).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn arguments_without_a_text_are_edited_as_json() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = request(&["x"]);
        one.calls[0].editable = None;
        one.calls[0].arguments = json!({"depth": 1});
        let verdict = edit(&one, Some("sed -i s/1/2/"), folder.path()).unwrap();
        assert_eq!(
            verdict,
            Verdict::Edit { arguments: BTreeMap::from([("c0".into(), json!({"depth": 2}))]) }
        );
        let broken = edit(&one, Some("sed -i s/{//"), folder.path()).unwrap_err();
        assert_eq!(broken.to_string(), "that is not valid JSON");
    }
}
