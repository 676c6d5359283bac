//! Every exit code, and what a person at the terminal can do on the way to it.

use std::time::Duration;

use ml_intern::playground::model::Reply;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::desk::{Desk, bash, end, model};
#[cfg(unix)]
use super::desk::{interrupt, signal};

#[tokio::test]
async fn a_finished_request_is_0_and_its_answer_is_on_standard_output() {
    let model = model([Reply::says("All **done**.")]).await;
    let ran = Desk::new().model(&model, json!({})).run(&["say hello"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("All **done**.\n"), "{ran:?}");
    assert!(ran.err.contains("vllm/scripted"), "{ran:?}");
    assert!(!ran.out.contains('\u{1b}'), "a pipe has no colours: {ran:?}");
    assert_eq!((model.left(), model.violations()), (0, Vec::new()));
}

#[tokio::test]
async fn a_headless_run_does_not_stand_for_two_people_nor_for_a_rule_that_always_asks() {
    for demand in [json!({"needed": 2, "who": "anyone"}), json!({"verdict": "always_ask"})] {
        let mut rule = json!({"name": "careful", "tool": "bash"});
        rule.as_object_mut().unwrap().extend(demand.as_object().unwrap().clone());
        let model = model([bash("touch made"), Reply::says("I left it.")]).await;
        let desk = Desk::new().model(&model, json!({"approvals": {"rules": [rule]}}));
        let ran = desk.run(&["make a file"]).await;
        assert_eq!(ran.code, Some(4), "{ran:?}");
        let told = model.requests().pop().unwrap().to_string();
        assert!(told.contains("only people may"), "{told}");
    }
}

#[tokio::test]
async fn a_prompt_may_come_from_standard_input() {
    let model = model([Reply::says("Read.")]).await;
    let ran = Desk::new().model(&model, json!({})).run_with(&["-"], "explain\nthis diff\n").await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(model.requests()[0].to_string().contains("explain\\nthis diff"));
}

#[tokio::test]
async fn events_are_json_lines_and_nothing_else() {
    let model = model([Reply::says("Hello.")]).await;
    let ran = Desk::new().model(&model, json!({})).run(&["--json", "say hello"]).await;
    let events: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.last().unwrap()["event_type"], "turn_complete");
    assert_eq!(events.last().unwrap()["data"]["final_response"], "Hello.");
}

#[tokio::test]
async fn an_error_is_1_and_says_what_to_do() {
    let ran = Desk::new().run(&["say hello"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("HF_TOKEN"), "{ran:?}");
}

#[tokio::test]
async fn a_commands_effect_is_approved_when_nobody_is_there() {
    let model = model([bash("echo made > made.txt"), Reply::says("Made.")]).await;
    let desk = Desk::new().model(&model, json!({}));
    let ran = desk.run(&["make a file"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(std::fs::read_to_string(desk.cwd.path().join("made.txt")).unwrap(), "made\n");
}

#[tokio::test]
async fn with_ask_it_is_refused_and_4() {
    let model = model([bash("echo made > made.txt"), Reply::says("I may not.")]).await;
    let desk = Desk::new().model(&model, json!({}));
    let ran = desk.run(&["--ask", "make a file"]).await;
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(!desk.cwd.path().join("made.txt").exists());
    assert!(model.requests()[1].to_string().contains("Nobody is here to approve it"));
}

#[tokio::test]
async fn the_iteration_limit_is_3() {
    let plan = || {
        Reply::calls([(
            "plan_tool",
            json!({"todos": [{"id": "1", "content": "go on", "status": "pending"}]}),
        )])
    };
    let model = model([plan(), plan(), plan(), plan()]).await;
    let ran = Desk::new().model(&model, json!({})).run(&["--max-iterations", "2", "never end"]).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(model.left(), 2, "two calls of the model, no more");
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_stops_the_turn_and_its_children_and_is_130() {
    a_signal_ends_the_command("-INT").await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_closed_terminal_and_sigterm_leave_no_command_behind() {
    a_signal_ends_the_command("-HUP").await;
    a_signal_ends_the_command("-TERM").await;
}

#[cfg(unix)]
async fn a_signal_ends_the_command(name: &str) {
    let model = model([bash("echo $$ > pid; sleep 600"), Reply::says("never said")]).await;
    let desk = Desk::new().model(&model, json!({}));
    let child = desk.command(&["wait for ever"]).spawn().unwrap();
    let file = desk.cwd.path().join("pid");
    for _ in 0..500 {
        if std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid: u32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    signal(name, child.id().unwrap());
    let ran = end(child).await;
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "the command outlived the stop");
}

#[tokio::test]
async fn a_chat_takes_lines_commands_and_answers_to_questions() {
    let model = model([
        Reply::says("Hello."),
        bash("echo no > no.txt"),
        Reply::says("As you wish."),
        bash("echo yes > yes.txt"),
        Reply::says("Done."),
    ])
    .await;
    let desk = Desk::new().model(&model, json!({}));
    let typed = "hello\n/help\n/nonsense\nmake a file\nUse Another Name\nthen make that\ny\n/status\n/quit\n";
    let ran = desk.run_with(&[], typed).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("Hello.") && ran.out.contains("Done."), "{ran:?}");
    assert!(ran.out.contains("did you mean") && ran.out.contains("/compact"), "{ran:?}");
    assert!(!desk.cwd.path().join("no.txt").exists() && desk.cwd.path().join("yes.txt").exists());
    assert!(model.requests()[2].to_string().contains("Use Another Name"), "the reason keeps its case");
    assert_eq!(model.left(), 0);
}

#[tokio::test]
async fn a_question_left_open_is_4_and_can_be_answered_later() {
    let model = model([bash("echo late > late.txt"), Reply::says("Done at last.")]).await;
    let desk = Desk::new().model(&model, json!({}));
    let first = desk.run_with(&["--session", "s1"], "make a file\n").await;
    assert_eq!(first.code, Some(4), "{first:?}");
    assert!(!desk.cwd.path().join("late.txt").exists());
    let second = desk.run_with(&["--session", "s1"], "y\n").await;
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.out.contains("Done at last."), "{second:?}");
    assert!(desk.cwd.path().join("late.txt").exists());
}

#[tokio::test]
async fn a_session_goes_on_where_it_was() {
    let model = model([Reply::says("Blue, noted."), Reply::says("Blue.")]).await;
    let desk = Desk::new().model(&model, json!({}));
    assert_eq!(desk.run(&["--session", "s1", "my colour is blue"]).await.code, Some(0));
    assert_eq!(desk.run(&["--session", "s1", "which colour?"]).await.code, Some(0));
    assert!(model.requests()[1].to_string().contains("my colour is blue"));
}

#[tokio::test]
async fn the_playground_alone_prints_its_card_and_ends_in_order() {
    let desk = Desk::new();
    let mut child = desk.command(&["playground", "--no-bot", "--json"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line =
        tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await.unwrap().unwrap().unwrap();
    let card: Value = serde_json::from_str(&line).unwrap();
    for key in ["url", "api_url", "bot_token", "app_token", "signing_secret", "control_token", "page_url"] {
        assert!(card[key].is_string(), "{key}");
    }
    let http = ml_intern::clients::http::client(Some(Duration::from_secs(5))).unwrap();
    let test = http.post(format!("{}/auth.test", card["api_url"].as_str().unwrap()));
    let answer: Value =
        test.bearer_auth(card["bot_token"].as_str().unwrap()).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["ok"], true);
    #[cfg(unix)]
    interrupt(child.id().unwrap());
    assert_eq!(end(child).await.code, Some(0));
}

#[tokio::test]
async fn the_demonstration_answers_a_mention_in_the_playground() {
    let desk = Desk::new();
    let mut child = desk.command(&["playground", "--json"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line =
        tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await.unwrap().unwrap().unwrap();
    let card: Value = serde_json::from_str(&line).unwrap();
    let (url, token) = (card["url"].as_str().unwrap(), card["control_token"].as_str().unwrap());
    let http = ml_intern::clients::http::client(Some(Duration::from_secs(5))).unwrap();
    let state = || async {
        let state = http.get(format!("{url}/playground/state")).bearer_auth(token).send().await.unwrap();
        state.json::<Value>().await.unwrap()
    };
    let start = state().await;
    let act = json!({"user": start["people"][0]["id"], "act": {
        "act": "say", "channel": start["channels"][0]["id"], "text": "@ml-intern train a small classifier"}});
    let said = http.post(format!("{url}/playground/act")).bearer_auth(token).json(&act).send().await.unwrap();
    assert!(said.status().is_success());
    let mut asked = false;
    for _ in 0..300 {
        asked = state().await.to_string().contains("\"Approve\"");
        if asked {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(asked, "no card asks for approval: {}", state().await);
    #[cfg(unix)]
    interrupt(child.id().unwrap());
    assert_eq!(end(child).await.code, Some(0));
}

#[tokio::test]
async fn input_that_ends_in_mid_chat_leaves_with_the_last_turns_code() {
    let desk = Desk::new();
    let mut child = desk.command(&[]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"hello there\n").await.unwrap();
    drop(stdin);
    let ran = end(child).await;
    assert_eq!(ran.code, Some(1), "there is no key, so the turn failed: {ran:?}");
}
