//! Payloads as Slack sends them, and what they mean to us.

use serde_json::{Value, json};

use super::*;
use crate::protocol::OperationKind;

fn us() -> Ourselves {
    Ourselves { team: "T1".into(), user: "UBOT".into(), bot: "BBOT".into() }
}

/// A message event with these fields changed.
fn message(changes: Value) -> Value {
    let mut event = json!({
        "type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "team": "T1",
        "text": "hello", "ts": "1700000000.000100", "event_ts": "1700000000.000100",
        "client_msg_id": "0c5f", "blocks": [{ "type": "rich_text", "block_id": "x", "elements": [] }],
    });
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    json!({
        "type": "event_callback", "team_id": "T1", "context_team_id": "T1", "api_app_id": "A1", "event_id": "Ev1",
        "event_time": 1_700_000_000, "is_ext_shared_channel": false, "authorizations": [{ "is_bot": true }], "event": event,
    })
}

fn spoken(payload: &Value) -> Option<Spoken> {
    match event(payload, &us()) {
        Inbound::Spoken(spoken) => Some(spoken),
        _ => None,
    }
}

#[test]
fn messages_that_are_not_for_us_start_nothing() {
    for (changes, why) in [
        (json!({}), "a top-level message without a mention"),
        (json!({ "subtype": "message_changed", "message": {}, "text": "<@UBOT> x" }), "an edit"),
        (json!({ "subtype": "message_deleted" }), "a deletion"),
        (json!({ "subtype": "channel_join", "text": "<@UBOT> has joined" }), "a join"),
        (json!({ "subtype": "bot_message", "bot_id": "B9", "text": "<@UBOT> x" }), "an old bot's message"),
        (json!({ "bot_id": "B9", "text": "<@UBOT> x" }), "a new bot's message"),
        (json!({ "bot_profile": { "id": "B9" }, "text": "<@UBOT> x" }), "an app's message"),
        (json!({ "user": "UBOT", "text": "<@UBOT> x" }), "our own message"),
        (json!({ "user": null, "text": "<@UBOT> x" }), "nobody's message"),
        (json!({ "edited": { "user": "U1", "ts": "2" }, "text": "<@UBOT> x" }), "an edited mention"),
        (json!({ "hidden": true, "text": "<@UBOT> x" }), "a hidden message"),
        (json!({ "ts": null, "text": "<@UBOT> x" }), "a message without time"),
        (json!({ "thread_ts": "1.0", "text": "<@U2> over to you" }), "a reply to somebody else"),
        (json!({ "thread_ts": "1.0", "text": "thanks <@U2>" }), "thanks to somebody else"),
        (json!({ "thread_ts": "1.0", "text": "Hey, <@U2> can you look at this one?" }), "a greeting first"),
        (json!({ "type": "reaction_added" }), "a reaction"),
        (json!({ "type": "brand_new_event" }), "an event that we do not know"),
    ] {
        assert!(matches!(event(&message(changes), &us()), Inbound::Nothing(_)), "{why}");
    }
    assert!(matches!(event(&json!({}), &us()), Inbound::Nothing(_)));
    assert!(matches!(event(&json!(null), &us()), Inbound::Nothing(_)));
}

#[test]
fn a_mention_is_for_us_wherever_it_stands_and_opens_its_own_thread() {
    for (changes, thread) in [
        (json!({ "text": "<@UBOT> train it" }), "1700000000.000100"),
        (json!({ "type": "app_mention", "text": "<@UBOT> train it" }), "1700000000.000100"),
        (json!({ "text": "<@UBOT> train it", "thread_ts": "1.0" }), "1.0"),
        (json!({ "text": "train it <@UBOT>", "subtype": "thread_broadcast", "thread_ts": "1.0" }), "1.0"),
        (
            json!({ "text": "<@UBOT|ml-intern> train it", "metadata": { "event_payload": { "n": 1 } } }),
            "1700000000.000100",
        ),
        (json!({ "text": "train it", "channel": "D1", "channel_type": "im" }), "1700000000.000100"),
        (json!({ "text": "train it", "channel": "D1", "channel_type": "im", "thread_ts": "1.0" }), "1.0"),
    ] {
        let spoken = spoken(&message(changes.clone())).unwrap_or_else(|| panic!("{changes}"));
        assert_eq!(spoken.addressed, Addressed::Us, "{changes}");
        assert_eq!(spoken.words, Words::Say("train it".into()), "{changes}");
        assert_eq!(spoken.place.thread_ts, thread, "{changes}");
    }
}

#[test]
fn a_mention_and_its_message_name_the_same_session_and_the_same_message() {
    let one = spoken(&message(json!({ "text": "<@UBOT> x" }))).unwrap();
    let two = spoken(&message(json!({ "text": "<@UBOT> x", "type": "app_mention" }))).unwrap();
    assert_eq!((one.place.session(), &one.ts), (two.place.session(), &two.ts));
}

#[test]
fn replies_count_if_we_are_active_and_mentions_of_us_beside_others_are_for_us() {
    let reply = spoken(&message(json!({ "thread_ts": "1.0", "text": "and then?" }))).unwrap();
    assert_eq!(reply.addressed, Addressed::Thread);
    for about in ["use the split that <@U2> uploaded", "no need to wait for <@U2>, go on"] {
        let told = spoken(&message(json!({ "thread_ts": "1.0", "text": about }))).unwrap();
        assert_eq!(told.addressed, Addressed::Thread, "{about}: somebody is spoken of, not to");
    }
    let both = spoken(&message(json!({ "thread_ts": "1.0", "text": "<@U2> and <@UBOT> please" }))).unwrap();
    assert_eq!(both.addressed, Addressed::Us);
    assert_eq!(both.words, Words::Say("<@U2> and please".into()));
    let stop = spoken(&message(json!({ "thread_ts": "1.0", "text": "<@UBOT> stop" }))).unwrap();
    assert_eq!(stop.words, Words::Command(OperationKind::Stop));
    let greeting = spoken(&message(json!({ "text": "<@UBOT>" }))).unwrap();
    assert_eq!(greeting.words, Words::Help);
}

#[test]
fn people_of_other_organisations_are_recognised() {
    let external = |changes| spoken(&message(changes)).unwrap().person.external;
    assert!(!external(json!({ "text": "<@UBOT> x" })));
    assert!(!external(json!({ "text": "<@UBOT> x", "user_team": "T1", "source_team": "T1" })));
    assert!(external(json!({ "text": "<@UBOT> x", "user_team": "T2" })));
    assert!(external(json!({ "text": "<@UBOT> x", "source_team": "T2" })));
}

#[test]
fn files_are_named_even_if_half_of_them_is_missing() {
    let said = spoken(&message(json!({
        "text": "<@UBOT> look", "subtype": "file_share",
        "files": [{ "name": "a.csv", "mimetype": "text/csv", "size": 12, "permalink": "https://x/a" }, { "id": "F2", "url_private": "" }],
    })))
    .unwrap();
    let expected = "look\n[file attached: a.csv (text/csv, 12 bytes): https://x/a]\n[file attached: a file (unknown type)]";
    assert_eq!(said.words, Words::Say(expected.into()));
}

#[test]
fn slacks_own_stop_names_its_thread() {
    for fields in [
        json!({ "type": "agent_session_stopped", "channel": "C1", "thread_ts": "1.0", "user": "U1" }),
        json!({ "type": "agent_session_stopped", "channel_id": "C1", "thread_ts": "1.0", "user_id": "U1" }),
        json!({ "type": "agent_session_stopped", "session": { "channel_id": "C1", "thread_ts": "1.0" }, "user": "U1" }),
    ] {
        let stop = event(&json!({ "event_id": "Ev9", "event": fields }), &us());
        let Inbound::Stopped { place, person, event_id } = stop else { panic!("{stop:?}") };
        assert_eq!(
            (place.session().as_str(), person.id.as_str(), event_id.as_str()),
            ("slack:T1:C1:1.0", "U1", "Ev9")
        );
    }
    let nowhere = json!({ "event": { "type": "agent_session_stopped" } });
    assert!(matches!(event(&nowhere, &us()), Inbound::Nothing(_)));
}

#[test]
fn clicks_are_read_whatever_else_the_payload_holds() {
    let click = |action: &str, value: &str| {
        interaction(
            &json!({
                "type": "block_actions", "team": null, "enterprise": { "id": "E1" }, "is_enterprise_install": true,
                "user": { "id": "U1", "team_id": "T1" }, "trigger_id": "t.1", "container": { "type": "something_new" },
                "channel": { "id": "C1" },
                "message": { "ts": "5.0", "thread_ts": "1.0", "text": "card", "metadata": { "event_payload": { "n": 1 } }, "blocks": [{ "type": "unheard_of" }] },
                "actions": [{ "action_id": action, "value": value, "action_ts": "6.0" }],
            }),
            &us(),
        )
    };
    for (action, button) in [
        ("approve", Button::Approve("a1".into())),
        ("approve_session", Button::ApproveForSession("a1".into())),
        ("edit", Button::Edit("a1".into())),
        ("reject", Button::Reject("a1".into())),
        ("stop", Button::Stop),
        ("retry", Button::Retry),
        ("feedback", Button::Feedback("a1".into())),
    ] {
        let Inbound::Clicked(clicked) = click(action, "a1") else { panic!("{action}") };
        assert_eq!(clicked.button, button);
        assert_eq!(clicked.place.session().as_str(), "slack:T1:C1:1.0");
        assert_eq!((clicked.message_ts.as_str(), clicked.trigger.as_str()), ("5.0", "t.1"));
    }
    assert!(matches!(click("someone_elses", "x"), Inbound::Nothing(_)));
    assert!(matches!(interaction(&json!({ "type": "shortcut" }), &us()), Inbound::Nothing(_)));
    assert!(matches!(
        interaction(&json!({ "type": "block_actions", "user": {} }), &us()),
        Inbound::Nothing(_)
    ));
}

#[test]
fn forged_or_foreign_forms_are_not_ours() {
    let form = |metadata: &str, callback: &str| {
        let view = json!({ "id": "V1", "callback_id": callback, "private_metadata": metadata, "state": { "values": {} } });
        interaction(&json!({ "type": "view_submission", "user": { "id": "U1" }, "view": view }), &us())
    };
    let about = r#"{"approval":"a1","channel":"C1","thread_ts":"1.0"}"#;
    assert!(matches!(
        form(about, "reject_approval"),
        Inbound::Submitted(Submitted { form: Form::Reject(None), .. })
    ));
    assert!(matches!(
        form(about, "edit_approval"),
        Inbound::Submitted(Submitted { form: Form::Edit(_), .. })
    ));
    assert!(matches!(form(about, "other"), Inbound::Nothing(_)));
    assert!(matches!(form("", "edit_approval"), Inbound::Nothing(_)));
}
