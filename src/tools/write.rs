//! `write`: makes a file, or replaces one that was read before.

use std::fs;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::files::{Files, blocking, language, replace};
use super::workspace::{Target, Wish, alike, allow, resolve, risk, shown};
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::text::count;

/// The `write` tool.
pub struct Write {
    files: Arc<Files>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The file, relative to the workspace or absolute. Missing folders are made.
    path: String,
    /// The whole content.
    content: String,
}

impl Write {
    /// Shares marks with the tool that reads.
    #[must_use]
    pub fn new(files: Arc<Files>) -> Self {
        Self { files }
    }
}

#[async_trait]
impl Tool for Write {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "write".to_owned(),
            description:
                "Write a whole file in the workspace. A file that exists already must have been read in \
                          this session; it is replaced. For a small change to an existing file use `edit`."
                    .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let write: Arguments = arguments(value)?;
        let target = resolve(&place.workspace, &write.path)?;
        let name = shown(&place.workspace, &target.path);
        let title = format!("Write {name} ({})", count(write.content.lines().count(), "line"));
        Ok(Assessment {
            risk: risk(place, &target, Wish::Change, self.files.outside),
            operation: Some(if target.path.exists() { "replace" } else { "create" }.to_owned()),
            language: language(&write.path).to_owned(),
            alike: alike(place, &target),
            editable: Some("content".to_owned()),
            preview: write.content,
            ..Assessment::changes(title)
        })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let write: Arguments = arguments(&value)?;
        let files = Arc::clone(&self.files);
        blocking(move || {
            let target = resolve(context.workspace(), &write.path)?;
            allow(&context.place, &target, Wish::Change, files.outside)?;
            Ok(put(&files, &context.place, &target, &write.content))
        })
        .await?
    }
}

fn put(files: &Files, place: &Place, target: &Target, content: &str) -> ToolOutcome {
    let path = &target.path;
    let name = shown(&place.workspace, path);
    let before = fs::symlink_metadata(path);
    if let Ok(about) = &before {
        if about.is_dir() {
            return ToolOutcome::failed(format!("`{name}` is a folder."));
        }
        if let Some(why) = files.unseen(&place.session, path, about) {
            return ToolOutcome::failed(format!("`{name}` was not written: {why}."));
        }
    }
    match replace(path, content.as_bytes()) {
        Ok(about) => {
            files.marks.note(&place.session, path, &about);
            let verb = if before.is_ok() { "Replaced" } else { "Made" };
            let lines = count(content.lines().count(), "line");
            ToolOutcome::done(format!("{verb} `{name}`: {} bytes, {lines}.", content.len()))
        }
        Err(error) => ToolOutcome::failed(format!("`{name}` was not written: {error}.")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use serde_json::json;

    use super::*;
    use crate::agent::tool::{Ownership, Risk};
    use crate::config::ToolsConfig;
    use crate::tools::Read;
    use crate::tools::workspace::fixture::Room;

    fn tools() -> (Read, Write) {
        let files = Arc::new(Files::new(ToolsConfig::default(), Vec::new()));
        (Read::new(Arc::clone(&files)), Write::new(files))
    }

    #[tokio::test]
    async fn a_new_file_is_made_with_its_folders() {
        let (room, (_, write)) = (Room::new(), tools());
        let made =
            write.call(json!({"path": "a/b/c.py", "content": "é\nx\n"}), room.context()).await.unwrap();
        assert_eq!(made.output, "Made `a/b/c.py`: 5 bytes, 2 lines.");
        assert_eq!(fs::read_to_string(room.path("a/b/c.py")).unwrap(), "é\nx\n");
        // What one wrote oneself one knows.
        let again = write.call(json!({"path": "a/b/c.py", "content": "y"}), room.context()).await.unwrap();
        assert_eq!(again.output, "Replaced `a/b/c.py`: 1 bytes, 1 line.");
        assert_eq!(fs::read_dir(room.path("a/b")).unwrap().count(), 1, "no draft is left behind");
    }

    #[tokio::test]
    async fn an_existing_file_must_have_been_read_as_it_is() {
        let (room, (read, write)) = (Room::new(), tools());
        fs::write(room.path("x.sh"), "old").unwrap();
        fs::set_permissions(room.path("x.sh"), fs::Permissions::from_mode(0o750)).unwrap();
        let arguments = json!({"path": "x.sh", "content": "new"});
        let refused = write.call(arguments.clone(), room.context()).await.unwrap();
        assert!(!refused.success && refused.output.contains("read it first"), "{}", refused.output);
        read.call(json!({"path": "x.sh"}), room.context()).await.unwrap();
        fs::write(room.path("x.sh"), "somebody else's").unwrap();
        let stale = write.call(arguments.clone(), room.context()).await.unwrap();
        assert!(!stale.success && stale.output.contains("has changed since"), "{}", stale.output);
        read.call(json!({"path": "x.sh"}), room.context()).await.unwrap();
        assert!(write.call(arguments, room.context()).await.unwrap().success);
        assert_eq!(fs::read_to_string(room.path("x.sh")).unwrap(), "new");
        assert_eq!(fs::metadata(room.path("x.sh")).unwrap().permissions().mode() & 0o777, 0o750);
    }

    #[tokio::test]
    async fn writing_cannot_leave_the_workspace() {
        let (room, elsewhere, (_, write)) = (Room::new(), Room::new(), tools());
        symlink(elsewhere.root(), room.path("out")).unwrap();
        for path in ["../x", "/etc/x", "out/x", ".ml-intern/output/x"] {
            let arguments = json!({"path": path, "content": "x"});
            let assessed = write.assess(&arguments, &room.place()).unwrap();
            assert!(matches!(assessed.risk, Risk::Never { .. }), "{path}");
            assert!(write.call(arguments, room.context()).await.is_err(), "{path}");
        }
        assert_eq!(fs::read_dir(elsewhere.root()).unwrap().count(), 0);
        let folder = write.call(json!({"path": ".", "content": "x"}), room.context()).await.unwrap();
        assert_eq!(folder.output, "`.` is a folder.");
    }

    #[test]
    fn people_see_the_whole_content_where_the_folder_is_theirs() {
        let (room, (_, write)) = (Room::new(), tools());
        let person = Place { ownership: Ownership::Person, ..room.place() };
        let assessed = write.assess(&json!({"path": "a.py", "content": "x\ny"}), &person).unwrap();
        assert_eq!(assessed.risk, Risk::Ask { reason: "Changes a file in your folder.".to_owned() });
        assert_eq!((assessed.preview.as_str(), assessed.language.as_str()), ("x\ny", "python"));
        assert_eq!(assessed.title, "Write a.py (2 lines)");
        assert!(assessed.alike.is_some());
    }
}
