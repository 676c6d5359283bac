//! Edits as the model asks for them: exact, near, and refused.

use std::fs;

use serde_json::json;

use super::*;
use crate::agent::tool::{Ownership, Risk};
use crate::config::ToolsConfig;
use crate::tools::Read;
use crate::tools::workspace::fixture::Room;

struct Desk {
    room: Room,
    read: Read,
    edit: Edit,
}

impl Desk {
    fn new() -> Self {
        let files = Arc::new(Files::new(ToolsConfig::default(), Vec::new()));
        Self { room: Room::new(), read: Read::new(Arc::clone(&files)), edit: Edit::new(files) }
    }

    /// Puts a file there and reads it.
    async fn opens(&self, content: &str) {
        fs::write(self.room.path("f"), content).unwrap();
        assert!(self.read.call(json!({"path": "f"}), self.room.context()).await.unwrap().success);
    }

    async fn edits(&self, mut arguments: Value) -> ToolOutcome {
        arguments["path"] = json!("f");
        self.edit.call(arguments, self.room.context()).await.unwrap()
    }

    fn content(&self) -> String {
        fs::read_to_string(self.room.path("f")).unwrap()
    }
}

#[tokio::test]
async fn one_passage_changes_and_the_difference_is_shown() {
    let desk = Desk::new();
    desk.opens("one\ntwo\nthree\n").await;
    let done = desk.edits(json!({"old_str": "two", "new_str": "2"})).await;
    assert_eq!(done.output, "Edited `f`: 1 place (line 2).\n\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three");
    assert_eq!(desk.content(), "one\n2\nthree\n");
    // The next edit needs no second reading: one knows what one wrote.
    assert!(desk.edits(json!({"old_str": "2", "new_str": "zwei"})).await.success);
}

#[tokio::test]
async fn several_places_need_replace_all() {
    let desk = Desk::new();
    desk.opens("b b\nb\n").await;
    let refused = desk.edits(json!({"old_str": "b", "new_str": "X"})).await;
    assert!(!refused.success && refused.output.contains("3 times (lines 1, 1, 2)"), "{}", refused.output);
    assert_eq!(desk.content(), "b b\nb\n");
    let done = desk.edits(json!({"old_str": "b", "new_str": "X", "replace_all": true})).await;
    assert!(done.output.starts_with("Edited `f`: 3 places (line 1, 1, 2)."), "{}", done.output);
    assert_eq!(desk.content(), "X X\nX\n");
}

#[tokio::test]
async fn text_can_be_put_after_or_before_a_passage() {
    let desk = Desk::new();
    desk.opens("a\na\n").await;
    let done = desk.edits(json!({"old_str": "a\n", "new_str": "b\n", "mode": "append_after"})).await;
    assert!(done.output.contains("stands there 2 times; only the first was used"), "{}", done.output);
    assert_eq!(desk.content(), "a\nb\na\n");
    desk.edits(json!({"old_str": "b", "new_str": "<", "mode": "prepend_before"})).await;
    assert_eq!(desk.content(), "a\n<b\na\n");
}

#[tokio::test]
async fn near_matches_are_reported_and_touch_nothing_beside_them() {
    let desk = Desk::new();
    desk.opens("  pre foo – bar post\n").await;
    let done = desk.edits(json!({"old_str": "foo - bar", "new_str": "Z"})).await;
    assert!(done.output.contains("Note: matched but for typographic characters"), "{}", done.output);
    assert_eq!(desk.content(), "  pre Z post\n");
    desk.opens("def f():\n    a = 1  \n    b = 2\n").await;
    let done = desk.edits(json!({"old_str": "a = 1\nb = 2", "new_str": "a = 3\nif b:\n    c"})).await;
    assert!(done.output.contains("Note: matched but for indentation"), "{}", done.output);
    assert_eq!(desk.content(), "def f():\n    a = 3\n    if b:\n        c\n");
    let partial = desk.edits(json!({"old_str": "f():\na", "new_str": "Z"})).await;
    assert!(!partial.success && partial.output.contains("does not stand in it"), "{}", partial.output);
}

#[tokio::test]
async fn a_file_with_its_own_line_breaks_keeps_them() {
    let desk = Desk::new();
    desk.opens("one\r\ntwo\r\nthree\r\n").await;
    assert!(desk.edits(json!({"old_str": "one\ntwo", "new_str": "1\n2\n2b"})).await.success);
    assert_eq!(desk.content(), "1\r\n2\r\n2b\r\nthree\r\n");
}

#[tokio::test]
async fn an_edit_that_cannot_be_done_says_why() {
    let desk = Desk::new();
    let missing = desk.edits(json!({"old_str": "a", "new_str": "b"})).await;
    assert_eq!(missing.output, "There is no file `f`.");
    fs::write(desk.room.path("f"), "a").unwrap();
    let unread = desk.edits(json!({"old_str": "a", "new_str": "b"})).await;
    assert!(!unread.success && unread.output.contains("read it first"), "{}", unread.output);
    fs::write(desk.room.path("f"), [b'a', 0xff]).unwrap();
    desk.read.call(json!({"path": "f"}), desk.room.context()).await.unwrap();
    let bytes = desk.edits(json!({"old_str": "a", "new_str": "b"})).await;
    assert!(bytes.output.contains("not UTF-8"), "{}", bytes.output);
    for (arguments, said) in [
        (json!({"path": "f", "old_str": "", "new_str": "b"}), "`old_str` is empty"),
        (json!({"path": "f", "old_str": "b", "new_str": "b"}), "are the same"),
        (json!({"path": "f", "old_str": "a", "new_str": "b", "mode": "rewrite"}), "mode"),
    ] {
        let error = desk.edit.assess(&arguments, &desk.room.place()).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn people_see_what_goes_and_what_comes() {
    let desk = Desk::new();
    let person = Place { ownership: Ownership::Person, ..desk.room.place() };
    let edit = |mode: &str| {
        let arguments = json!({"path": "f", "old_str": "a\nb", "new_str": "c", "mode": mode});
        desk.edit.assess(&arguments, &person).unwrap()
    };
    assert_eq!(edit("replace").preview, "-a\n-b\n+c\n");
    assert_eq!(edit("append_after").preview, " a\n b\n+c\n");
    assert_eq!(edit("prepend_before").preview, "+c\n a\n b\n");
    assert!(matches!(edit("replace").risk, Risk::Ask { .. }));
}
