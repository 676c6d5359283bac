//! `session list`, `show` and `delete`, on sessions that the binary itself made.

use std::fs;
use std::path::Path;

use ml_intern::app::SessionFolders;
use ml_intern::clock::Clock;
use ml_intern::playground::model::Reply;
use ml_intern::store::Inbox;
use ml_intern::store::embedded::{DATABASE, Embedded};
use serde_json::{Value, json};

use super::desk::{Desk, Ran, bash, model};

/// A desk with the sessions `imdb-1`, `imdb-2` and `poem`, made in this order.
async fn desk_with_sessions() -> Desk {
    let model = model([
        bash("echo Xylophonquark-output"),
        Reply::says("Trained with LoRA."),
        Reply::says("Evaluated."),
        Reply::says("Roses are red."),
    ])
    .await;
    let desk = Desk::new().model(&model, json!({ "store": {"data_dir": "data"} }));
    for (id, prompt) in
        [("imdb-1", "Train on imdb"), ("imdb-2", "Evaluate on imdb"), ("poem", "Write about Xylophonquark")]
    {
        let ran = desk.run(&["--session", id, prompt]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    desk
}

/// The ids that a listing shows, in order.
fn ids(ran: &Ran) -> Vec<String> {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().into())
        .collect()
}

fn data(desk: &Desk) -> std::path::PathBuf {
    desk.cwd.path().join("data")
}

fn holds(dir: &Path, words: &str) -> bool {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).any(|path| {
        let bytes = fs::read(path).unwrap().to_ascii_lowercase();
        bytes.windows(words.len()).any(|window| window == words.to_lowercase().as_bytes())
    })
}

#[tokio::test]
async fn sessions_are_listed_and_found_by_what_was_said() {
    let desk = desk_with_sessions().await;
    assert_eq!(ids(&desk.run(&["session", "list", "--json"]).await), ["poem", "imdb-2", "imdb-1"]);
    let search = ["session", "list", "--json", "--search"];
    for (words, expected) in [
        ("IMDB", &["imdb-2", "imdb-1"][..]),
        ("imdb lora", &["imdb-1"]),
        ("rose", &["poem"]),
        ("nowhere", &[]),
        ("Xylophonquark-output", &[]),
    ] {
        assert_eq!(ids(&desk.run(&[&search[..], &[words]].concat()).await), expected, "{words}");
    }
    let page = desk.run(&["session", "list", "--limit", "1", "--skip", "1"]).await;
    let columns: Vec<&str> = page.out.split_whitespace().skip(2).collect();
    assert_eq!(columns, ["imdb-2", "1", "turn", "Evaluate", "on", "imdb"]);
    assert_eq!(page.err, "There may be more: --skip 2 shows what comes next.\n");
    let none = desk.run(&["session", "list", "--search", "nowhere"]).await;
    assert_eq!(
        (none.code, none.out.as_str(), none.err.as_str()),
        (Some(0), "", "No session has these words.\n")
    );
}

#[tokio::test]
async fn a_session_is_shown_as_people_read_it_and_as_json() {
    let desk = desk_with_sessions().await;
    let shown = desk.run(&["session", "show", "imdb-1"]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let mut rest = shown.out.as_str();
    for part in [
        "Train on imdb\nterminal:imdb-1\nbegun ",
        "1 turn",
        "── ",
        "Train on imdb\n",
        "→ bash {",
        "✓ bash\n  ",
        "Xylophonquark-output\n",
        "── vllm/scripted\nTrained with LoRA.\n",
    ] {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is missing: {}", shown.out)).1;
    }
    let lines = desk.run(&["session", "show", "terminal:imdb-1", "--json"]).await;
    let lines: Vec<Value> = lines.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["session"]["key"], "terminal:imdb-1");
    let kinds: Vec<_> = lines[1..].iter().map(|line| line["item"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["user", "assistant", "tool_result", "assistant"]);
}

#[tokio::test]
async fn a_beginning_names_a_session_unless_it_names_several() {
    let desk = desk_with_sessions().await;
    for id in ["po", "terminal:po"] {
        assert!(desk.run(&["session", "show", id]).await.out.contains("Roses are red."), "{id}");
    }
    for command in ["show", "delete"] {
        let several = desk.run(&["session", command, "im"]).await;
        assert_eq!(several.code, Some(2), "{several:?}");
        assert!(several.err.contains("  imdb-1  Train on imdb\n  imdb-2  Evaluate on imdb\n"), "{several:?}");
        let none = desk.run(&["session", command, "%"]).await;
        assert_eq!(none.code, Some(2));
        assert!(
            none.err.contains("there is no session \"%\"") && none.err.contains("session list"),
            "{none:?}"
        );
    }
    let nothing = Desk::new().run(&["session", "list"]).await;
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.err.contains("nothing was ever kept in"), "{nothing:?}");
}

#[tokio::test]
async fn a_session_is_deleted_with_its_folder_once_somebody_means_it() {
    let desk = desk_with_sessions().await;
    let folder = SessionFolders::of(&data(&desk)).folder(&"terminal:poem".into());
    fs::create_dir_all(folder.join("deep")).unwrap();
    fs::write(folder.join("deep/spill.txt"), "Xylophonquark").unwrap();
    for answer in ["", "n\n", "yes please\n"] {
        let kept = desk.run_with(&["session", "delete", "poem"], answer).await;
        assert_eq!(kept.code, Some(4), "{kept:?}");
        assert!(kept.err.contains("Delete poem (Write about Xylophonquark, 1 turn)"), "{kept:?}");
        assert!(kept.err.contains("Nothing was deleted."), "{kept:?}");
    }
    assert!(folder.exists() && holds(&data(&desk), "Xylophonquark"));
    let deleted = desk.run_with(&["session", "delete", "poem"], "y\n").await;
    assert_eq!(deleted.code, Some(0), "{deleted:?}");
    assert!(!folder.exists());
    let deleted = desk.run(&["session", "delete", "imdb-1", "--yes"]).await;
    assert_eq!((deleted.code, deleted.err.as_str()), (Some(0), "Deleted imdb-1.\n"));
    assert!(!holds(&data(&desk), "Xylophonquark"), "the words are still in a file");
    assert_eq!(ids(&desk.run(&["session", "list", "--json"]).await), ["imdb-2"]);
    assert_eq!(desk.run(&["session", "show", "poem"]).await.code, Some(2));
}

#[tokio::test]
async fn a_session_at_work_is_not_deleted() {
    let desk = desk_with_sessions().await;
    let store = Embedded::open(&data(&desk), Clock::system()).unwrap();
    let lease =
        store.seize(&"terminal:poem".into(), std::time::Duration::from_secs(60)).await.unwrap().unwrap();
    let busy = desk.run(&["session", "delete", "poem", "-y"]).await;
    assert_eq!(busy.code, Some(1), "{busy:?}");
    assert!(busy.err.contains("poem is being worked on"), "{busy:?}");
    store.release(&lease, None).await.unwrap();
    assert_eq!(desk.run(&["session", "delete", "poem", "-y"]).await.code, Some(0));
    assert!(data(&desk).join(DATABASE).exists());
}
