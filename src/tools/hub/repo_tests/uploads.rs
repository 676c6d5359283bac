//! Uploads by `hf_repo_files`: what people see first, and what is done then.

use serde_json::json;

use super::{HfRepoFiles, Room, Tool, Written, call, examine, upload};
use crate::agent::tool::ToolError;

#[tokio::test]
async fn people_see_what_an_upload_changes_and_that_is_what_is_done() {
    let (hub, room) = (Written::start().await, Room::new());
    let files = HfRepoFiles::new(&hub.kit());
    hub.says("GET /api/models/alice/m", 200, &json!({ "id": "alice/m", "private": false }));
    hub.says("HEAD /alice/m/resolve/main/README.md", 200, &json!("one\ntwo\n"));
    hub.says("GET /alice/m/resolve/main/README.md", 200, &json!("one\ntwo\n"));
    let shown = examine(&files, &room, &upload("one\n2\n")).await;
    assert!(shown.diff.as_ref().unwrap().contains("-two\n+2\n"), "{shown:?}");
    assert!(shown.facts.iter().any(|(_, fact)| fact.contains("public: everybody sees it")), "{shown:?}");
    let same = examine(&files, &room, &upload("one\ntwo\n")).await;
    assert!(same.warnings[0].contains("nothing would change"), "{same:?}");
    hub.takes("README.md");
    let done = call(&files, &room, upload("one\n2\n")).await;
    assert!(done.success && done.output.contains("commit c0ffee"), "{}", done.output);
    assert!(hub.bodies("POST /api/models/alice/m/commit/main")[0].contains("b25lCjIK"));
    hub.says("POST /api/models/alice/m/commit/main", 500, &json!({ "error": "oops" }));
    let lost = call(&files, &room, upload("one\n2\n")).await;
    assert!(!lost.success && lost.output.contains("Whether it was done is not known"), "{}", lost.output);
}

#[tokio::test]
async fn a_file_of_the_workspace_that_changed_after_the_question_is_not_uploaded() {
    let (hub, room) = (Written::start().await, Room::new());
    let files = HfRepoFiles::new(&hub.kit());
    hub.takes("w.txt");
    let arguments =
        json!({ "operation": "upload", "repo_id": "alice/m", "path": "w.txt", "local_path": "out/w.txt" });
    let gone = files.call(arguments.clone(), room.context()).await.unwrap_err();
    assert!(matches!(&gone, ToolError::Arguments(why) if why.0.contains("no file `out/w.txt`")), "{gone}");
    std::fs::create_dir(room.path("out")).unwrap();
    std::fs::write(room.path("out/w.txt"), "weights").unwrap();
    examine(&files, &room, &arguments).await;
    std::fs::write(room.path("out/w.txt"), "others!").unwrap();
    let refused = call(&files, &room, arguments.clone()).await;
    assert!(!refused.success && refused.output.contains("changed since"), "{}", refused.output);
    examine(&files, &room, &arguments).await;
    let done = call(&files, &room, arguments.clone()).await;
    assert!(done.success, "{}", done.output);
    std::fs::write(room.path("out/w.txt"), "has a-configured-secret in it").unwrap();
    let secret = call(&files, &room, arguments).await;
    assert!(!secret.success && secret.output.contains("secret of this installation"), "{}", secret.output);
    assert_eq!(hub.bodies("POST /api/models/alice/m/commit/main").len(), 1);
}

#[tokio::test]
async fn people_see_the_whole_of_a_new_file() {
    let (hub, room) = (Written::start().await, Room::new());
    let files = HfRepoFiles::new(&hub.kit());
    hub.says("GET /api/models/alice/m", 200, &json!({ "id": "alice/m", "private": true }));
    let shown = examine(&files, &room, &upload("one\ntwo\n")).await;
    let diff = shown.diff.as_deref().unwrap_or_default();
    assert!(diff.ends_with("@@ -0,0 +1,2 @@\n+one\n+two\n"), "{shown:?}");
    assert!(shown.facts.iter().any(|(_, fact)| fact.ends_with(", new")), "{shown:?}");
}

#[tokio::test]
async fn a_file_that_the_repository_ignores_is_no_success() {
    let (hub, room) = (Written::start().await, Room::new());
    let files = HfRepoFiles::new(&hub.kit());
    let mode = json!({ "files": [{ "path": "README.md", "uploadMode": "regular", "shouldIgnore": true }] });
    hub.says("POST /api/models/alice/m/preupload/main", 200, &mode);
    hub.says("GET /api/models/alice/m/revision/main", 200, &json!({ "id": "alice/m", "sha": "c0ffee" }));
    let told = call(&files, &room, upload("one\n")).await;
    assert!(
        !told.success && told.output.contains("ignored by the repository's .gitignore"),
        "{}",
        told.output
    );
    assert!(hub.bodies("POST /api/models/alice/m/commit/main").is_empty());
}
