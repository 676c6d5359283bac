//! The Web API refuses what Slack refuses, with Slack's names.

use std::time::Duration;

use ml_intern::playground::{Budgets, Fault};
use serde_json::json;

use super::Bench;

#[tokio::test]
async fn tokens_scopes_methods_and_bodies_are_checked_in_slacks_order() {
    let bench = Bench::with(|it| it.scopes.retain(|scope| scope != "reactions:write")).await;
    let url = format!("{}/auth.test", bench.slack.api_url());
    let text = |answer: reqwest::Response| async { answer.text().await.unwrap() };
    assert!(text(bench.http.post(&url).send().await.unwrap()).await.contains("not_authed"));
    assert!(
        text(bench.http.post(&url).bearer_auth("xoxb-wrong").send().await.unwrap())
            .await
            .contains("invalid_auth")
    );
    let app = bench.http.post(&url).bearer_auth(bench.slack.app_token()).send().await.unwrap();
    assert!(text(app).await.contains("not_allowed_token_type"));
    assert_eq!(bench.refused("chat.explode", json!({})).await, "unknown_method");
    let missing = bench.call("reactions.add", json!({"channel": "C1"})).await;
    assert_eq!(
        (missing["error"].as_str(), missing["needed"].as_str()),
        (Some("missing_scope"), Some("reactions:write"))
    );
    assert!(missing["provided"].as_str().unwrap().contains("chat:write"));

    let bad = bench
        .http
        .post(&url)
        .bearer_auth(bench.slack.bot_token())
        .header("content-type", "application/json")
        .body("{");
    assert!(text(bad.send().await.unwrap()).await.contains("invalid_json"));
    let no_charset = bench
        .http
        .post(&url)
        .bearer_auth(bench.slack.bot_token())
        .header("content-type", "application/json")
        .body("{}");
    assert!(text(no_charset.send().await.unwrap()).await.contains("missing_charset"));

    // These read no JSON, so a channel given as JSON was never given.
    let channel = bench.channel();
    assert_eq!(bench.refused("conversations.info", json!({"channel": channel})).await, "invalid_arguments");
    let url = format!("{}/conversations.info?channel={channel}", bench.slack.api_url());
    let seen = bench.http.get(url).bearer_auth(bench.slack.bot_token()).send().await.unwrap();
    assert!(text(seen).await.contains("\"ok\":true"));
}

#[tokio::test]
async fn messages_that_slack_refuses_are_refused() {
    let bench = Bench::start().await;
    let channel = bench.channel();
    let long = "x".repeat(12_001);
    for (args, error) in [
        (json!({"channel": "C404", "text": "x"}), "channel_not_found"),
        (json!({"channel": channel, "text": " "}), "no_text"),
        (json!({"channel": channel, "text": "x".repeat(40_001)}), "msg_too_long"),
        (json!({"channel": channel, "markdown_text": long}), "msg_too_long"),
        (
            json!({"channel": channel, "markdown_text": "x", "blocks": [{"type": "divider"}]}),
            "markdown_text_conflict",
        ),
        (json!({"channel": channel, "text": "x", "thread_ts": "1.000001"}), "thread_not_found"),
        (json!({"channel": channel, "text": "x", "blocks": "[{"}), "invalid_blocks_format"),
        (
            json!({"channel": channel, "text": "x", "metadata": {"event_type": "a"}}),
            "invalid_metadata_format",
        ),
        (
            json!({"channel": channel, "text": "x", "blocks": [{"type": "markdown", "text": long}]}),
            "invalid_blocks",
        ),
    ] {
        assert_eq!(bench.refused("chat.postMessage", args.clone()).await, error, "{args}");
    }
    let answer = bench
        .call("chat.postMessage", json!({"channel": channel, "text": "x", "blocks": [{"type": "blink"}]}))
        .await;
    assert_eq!(
        answer["response_metadata"]["messages"][0],
        "[ERROR] unsupported type: blink [json-pointer:/blocks/0/type]"
    );

    let alices = bench.slack.person("alice").says("general", None, "mine").await.unwrap();
    let general = bench.slack.channel_id("general");
    assert_eq!(
        bench.refused("chat.update", json!({"channel": general, "ts": alices, "text": "x"})).await,
        "cant_update_message"
    );
    assert_eq!(
        bench.refused("chat.delete", json!({"channel": general, "ts": alices})).await,
        "cant_delete_message"
    );
    assert_eq!(
        bench.refused("chat.update", json!({"channel": general, "ts": "1.1", "text": "x"})).await,
        "message_not_found"
    );
}

#[tokio::test]
async fn a_stream_lives_five_minutes_and_obeys_a_persons_stop() {
    let bench = Bench::start().await;
    let (channel, team) = (bench.channel(), bench.slack.look(|it| it.team.id.clone()));
    let root = bench.slack.person("alice").mentions("ml-experiments", "train").await.unwrap();
    let user = bench.slack.person("alice").id();
    let start = json!({"channel": channel, "thread_ts": root, "recipient_team_id": team, "recipient_user_id": user, "markdown_text": "a"});
    let mut lone = start.clone();
    lone.as_object_mut().unwrap().remove("recipient_user_id");
    assert_eq!(bench.refused("chat.startStream", lone).await, "missing_recipient_user_id");

    let first = bench.works("chat.startStream", start.clone()).await["ts"].clone();
    assert_eq!(
        bench.refused("chat.update", json!({"channel": channel, "ts": first, "text": "x"})).await,
        "streaming_state_conflict"
    );
    bench.clock.advance(Duration::from_secs(299));
    let task = |status: &str| json!([{"type": "task_update", "id": "1", "title": "Train", "status": status, "details": "."}]);
    bench
        .works("chat.appendStream", json!({"channel": channel, "ts": first, "chunks": task("in_progress")}))
        .await;
    bench
        .works("chat.appendStream", json!({"channel": channel, "ts": first, "chunks": task("complete")}))
        .await;
    bench.clock.advance(Duration::from_secs(1));
    let late = json!({"channel": channel, "ts": first, "markdown_text": "b"});
    assert_eq!(bench.refused("chat.appendStream", late.clone()).await, "message_not_in_streaming_state");
    assert_eq!(bench.refused("chat.stopStream", late).await, "message_not_in_streaming_state");
    let kept = bench.slack.thread("ml-experiments", &root)[1].clone();
    assert_eq!(
        (kept.chunks.tasks[0].status.as_str(), kept.chunks.tasks[0].details.as_str()),
        ("complete", "..")
    );
    bench.works("chat.update", json!({"channel": channel, "ts": first, "text": "whole"})).await;

    let second = bench.works("chat.startStream", start).await["ts"].clone();
    bench
        .works(
            "agents.sessions.setStatus",
            json!({"channel_id": channel, "thread_ts": root, "status": "processing"}),
        )
        .await;
    bench.slack.person("alice").stops("ml-experiments", &root).await.unwrap();
    assert_eq!(
        bench
            .refused("chat.appendStream", json!({"channel": channel, "ts": second, "markdown_text": "b"}))
            .await,
        "stopped_by_user"
    );
    assert!(bench.slack.person("alice").stops("ml-experiments", &root).await.is_err());
}

#[tokio::test]
async fn what_would_ping_somebody_is_recorded() {
    let bench = Bench::start().await;
    let user = bench.slack.person("bob").id();
    bench.post(json!({"text": format!("&lt;!channel&gt; &lt;@{user}&gt;"), "blocks": [{"type": "markdown", "text": "quiet @channel"}]})).await;
    bench.post(json!({"markdown_text": "see <!here>"})).await;
    bench.post(json!({"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": format!("<@{user}>")}}]})).await;
    let pings: Vec<_> = bench.slack.messages("ml-experiments").into_iter().map(|it| it.pings).collect();
    assert_eq!(pings, [vec![], vec!["here".to_owned()], vec![user]]);
}

#[tokio::test]
async fn threads_history_and_metadata_read_as_slack_shows_them() {
    let bench = Bench::start().await;
    let channel = bench.channel();
    let root = bench.slack.person("alice").says("ml-experiments", None, "root").await.unwrap();
    let metadata = json!({"event_type": "kind", "event_payload": {"id": "1"}});
    for index in 0..3 {
        bench.post(json!({"text": format!("reply {index}"), "thread_ts": root, "metadata": metadata})).await;
    }
    let get = async |query: String| -> serde_json::Value {
        let url =
            format!("{}/conversations.replies?channel={channel}&ts={root}{query}", bench.slack.api_url());
        bench.http.get(url).bearer_auth(bench.slack.bot_token()).send().await.unwrap().json().await.unwrap()
    };
    let first = get("&limit=2".into()).await;
    assert_eq!((first["messages"].as_array().unwrap().len(), first["has_more"].as_bool()), (2, Some(true)));
    assert_eq!(first["messages"][0]["reply_count"], 3);
    assert!(first["messages"][1].get("metadata").is_none());
    let cursor = first["response_metadata"]["next_cursor"].as_str().unwrap().replace('=', "%3D");
    let rest = get(format!("&limit=2&include_all_metadata=true&cursor={cursor}")).await;
    assert_eq!(rest["messages"][0]["metadata"], metadata);
    assert_eq!(get("&cursor=nonsense".into()).await["error"], "invalid_cursor");
    let history = bench.works("conversations.history", json!({"channel": channel})).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1, "replies are not in the channel's history");
}

#[tokio::test]
async fn budgets_hold_if_asked_and_faults_strike_as_often_as_told() {
    let bench = Bench::with(|it| it.budgets = Budgets::AsSlack).await;
    let channel = bench.channel();
    let ts = bench.post(json!({"text": "x"})).await;
    let update = json!({"channel": channel, "ts": ts, "text": "y"});
    for _ in 0..50 {
        bench.works("chat.update", update.clone()).await;
    }
    assert_eq!(bench.refused("chat.update", update.clone()).await, "ratelimited");
    bench.clock.advance(Duration::from_secs(61));
    bench.works("chat.update", update.clone()).await;

    bench.slack.fault(Fault::RateLimited { method: "chat.update".into(), retry_after: 7, times: 1 }).await;
    let url = format!("{}/chat.update", bench.slack.api_url());
    let answer = bench.http.post(&url).bearer_auth(bench.slack.bot_token()).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    bench.slack.fault(Fault::Http { method: "*".into(), status: 503, times: 1 }).await;
    assert_eq!(bench.http.post(&url).send().await.unwrap().status(), 503);
    bench
        .slack
        .fault(Fault::Error { method: "chat.update".into(), error: "internal_error".into(), times: 1 })
        .await;
    assert_eq!(bench.refused("chat.update", update.clone()).await, "internal_error");
    bench.works("chat.update", update).await;
    let statuses: Vec<_> = bench.slack.calls().iter().rev().take(4).map(|it| it.status).collect();
    assert_eq!(statuses, [200, 200, 503, 429]);
}

#[tokio::test]
async fn a_file_goes_up_the_external_way_and_only_a_token_reads_it() {
    let bench = Bench::start().await;
    let form = |method: &str, body: &str| {
        let url = format!("{}/{method}", bench.slack.api_url());
        let media = "application/x-www-form-urlencoded";
        bench
            .http
            .post(url)
            .bearer_auth(bench.slack.bot_token())
            .header("content-type", media)
            .body(body.to_owned())
            .send()
    };
    let ticket: serde_json::Value =
        form("files.getUploadURLExternal", "filename=log.txt&length=5").await.unwrap().json().await.unwrap();
    let (url, id) = (ticket["upload_url"].as_str().unwrap(), ticket["file_id"].as_str().unwrap());
    let early = bench.call("files.completeUploadExternal", json!({"files": [{"id": id}]})).await;
    assert_eq!(early["error"], "file_not_found");
    assert!(bench.http.post(url).body("hello").send().await.unwrap().status().is_success());
    assert_eq!(bench.http.post(url).body("again").send().await.unwrap().status(), 400);
    let args = json!({"files": [{"id": id, "title": "The log"}], "channel_id": bench.channel(), "initial_comment": "here"});
    bench.works("files.completeUploadExternal", args).await;
    let message = bench.slack.messages("ml-experiments").pop().unwrap();
    assert_eq!(
        (message.text.as_str(), message.files[0].title.as_str(), message.files[0].size),
        ("here", "The log", 5)
    );
    let file = &message.files[0].url;
    assert_eq!(bench.http.get(file).send().await.unwrap().status(), 403);
    let read = bench.http.get(file).bearer_auth(bench.slack.bot_token()).send().await.unwrap();
    assert_eq!(read.text().await.unwrap(), "hello");
}
