//! Generated and copied files are fresh: the schema, the example, the list of variables.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use ml_intern::config::variables::VARIABLES;

use super::desk::Desk;

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[tokio::test]
async fn the_schema_in_the_repository_is_the_programs_own() {
    let ran = Desk::new().run(&["config", "schema"]).await;
    let kept = fs::read_to_string(root("configs/ml-intern.schema.json")).unwrap();
    assert!(ran.out == kept, "run: ml-intern config schema > configs/ml-intern.schema.json");
}

#[tokio::test]
async fn the_example_configuration_is_sound() {
    let example = fs::read_to_string(root("configs/ml-intern.json")).unwrap();
    let ran = Desk::new().file("configs/ml-intern.json", &example).run(&["config", "check"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn the_example_environment_lists_every_variable_with_a_line_each() {
    let example = fs::read_to_string(root(".env.example")).unwrap();
    let mut listed = BTreeSet::new();
    let lines: Vec<&str> = example.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let name = line.trim_start_matches("# ").split('=').next().unwrap_or_default();
        if line.contains('=')
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        {
            let what =
                at.checked_sub(1).map(|above| lines[above].trim_start_matches("# ")).unwrap_or_default();
            listed.insert((name.to_owned(), what.to_owned()));
        }
    }
    let known: BTreeSet<(String, String)> =
        VARIABLES.iter().map(|variable| (variable.name.to_owned(), variable.what.to_owned())).collect();
    assert_eq!(listed, known);
}

#[tokio::test]
async fn the_example_environment_copied_as_it_is_changes_nothing() {
    let example = fs::read_to_string(root(".env.example")).unwrap();
    let plain = Desk::new().run(&["config", "show"]).await.out;
    let copied = Desk::new().file(".env", &example).run(&["config", "show"]).await;
    assert_eq!(copied.out, plain, "{}", copied.err);
}
