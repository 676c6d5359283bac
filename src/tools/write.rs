//! `write`: makes a file, or replaces one that was read before.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::computer::{At, Found, Trouble, Wanted};
use super::files::{Files, language};
use super::workspace::Wish;
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
            description: format!(
                "Write a whole file {}. A file that exists already must have been read in this session; it is \
                 replaced. For a small change to an existing file use `edit`.",
                self.files.computer.words().place
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let write: Arguments = arguments(value)?;
        let aim = self.files.computer.aim(place, &write.path, Wish::Change)?;
        let title = format!("Write {} ({})", aim.name, count(write.content.lines().count(), "line"));
        // Where nobody can tell quickly, it replaces what the session has read: nothing else may be replaced.
        let exists = aim.exists.unwrap_or_else(|| self.files.marks.has(&place.session, &aim.path));
        Ok(Assessment {
            risk: aim.risk,
            operation: Some(if exists { "replace" } else { "create" }.to_owned()),
            language: language(&write.path).to_owned(),
            alike: aim.alike,
            editable: Some("content".to_owned()),
            preview: write.content,
            ..Assessment::changes(title)
        })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let write: Arguments = arguments(&value)?;
        let at = match self.files.computer.reach(&context, &write.path, Wish::Change).await {
            Ok(at) => at,
            Err(trouble) => return Ok(ToolOutcome::failed(trouble.text(&write.path, "was not written")?)),
        };
        Ok(match self.put(&context, &at, write.content).await {
            Ok(text) => ToolOutcome::done(text),
            Err(trouble) => ToolOutcome::failed(trouble.text(&at.name, "was not written")?),
        })
    }
}

impl Write {
    async fn put(&self, context: &CallContext, at: &At, content: String) -> Result<String, Trouble> {
        let (files, name) = (&self.files, &at.name);
        let seen = match files.computer.look(context, at, Wanted::Facts).await? {
            Found::Folder(_) => return Err(Trouble::Told(format!("`{name}` is a folder."))),
            Found::Other => return Err(Trouble::Cannot("it is not a regular file.".to_owned())),
            Found::Missing { .. } => None,
            Found::File { key, stamp, .. } => {
                if let Some(why) = files.unseen(&context.place.session, &key, &stamp) {
                    return Err(Trouble::Cannot(format!("{why}.")));
                }
                Some(stamp)
            }
        };
        let lines = count(content.lines().count(), "line");
        let bytes = content.len();
        let written = files.computer.put(context, at, content.into_bytes(), seen.as_ref()).await?;
        files.marks.note(&context.place.session, &written.key, &written.stamp);
        let verb = if seen.is_some() { "Replaced" } else { "Made" };
        Ok(format!("{verb} `{name}`: {bytes} bytes, {lines}.{}", noted(&written.notes)))
    }
}

/// What the machine found wrong with a file, after what was done.
pub(super) fn noted(notes: &[String]) -> String {
    notes.iter().map(|note| format!("\nWarning: {note}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
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
