//! Rules decide who is asked: two people, a user group, a channel's rule, times that run out, changes.

use ml_intern::config::{ApprovalRule, Config, RuleVerdict, WhoApproves};
use ml_intern::playground::Message;
use ml_intern::playground::model::{Reply, Script};
use ml_intern::protocol::OnExpiry;

use super::world::{Setup, Thread, World, bash, has_button, shown};

async fn world(configure: fn(&mut Config), replies: impl IntoIterator<Item = Reply>) -> World {
    let mut setup = Setup::new(Script::Queue(replies.into_iter().collect()));
    setup.configure = configure;
    World::with(setup).await
}

fn rule(config: &mut Config, change: impl FnOnce(&mut ApprovalRule)) {
    let mut rule =
        ApprovalRule { name: Some("careful".into()), tool: Some("bash".into()), ..ApprovalRule::default() };
    change(&mut rule);
    config.approvals.rules.push(rule);
}

fn message(thread: &Thread<'_>, ts: &str) -> Message {
    thread.messages().into_iter().find(|it| it.ts == ts).unwrap()
}

async fn private_line(world: &World, thread: &Thread<'_>, who: &str, words: &str) {
    let id = world.slack.person(who).id();
    thread
        .until(&format!("a private line for {who}"), |messages| {
            let told = |it: &&Message| it.ephemeral_to.as_deref() == Some(&id) && shown(it).contains(words);
            messages.iter().find(told).map(drop)
        })
        .await;
}

#[tokio::test]
async fn two_people_must_agree_whatever_one_of_them_clicks() {
    let world = world(
        |config| rule(config, |rule| rule.needed = Some(2)),
        [bash("echo both > agreed"), Reply::says("Both agreed.")],
    )
    .await;
    let thread = world.mention("alice", "train it").await;
    let card = thread.card().await;
    assert!(shown(&message(&thread, &card)).contains("2 people must agree"), "{}", thread.transcript());
    assert!(!has_button(&message(&thread, &card), "Approve for this session"));
    thread.click("alice", &card, "Approve").await;
    thread.hears("1 of 2 agreed: alice").await;
    thread.click("alice", &card, "Approve").await;
    private_line(&world, &thread, "alice", "You have agreed already").await;
    assert_eq!(world.model.requests().len(), 1, "nothing went on");
    assert!(!world.find("agreed"));
    thread.click("bob", &card, "Approve").await;
    thread.answered("Both agreed.").await;
    assert!(shown(&message(&thread, &card)).contains("Approved by alice and bob"), "{}", thread.transcript());
    assert!(world.find("agreed"));
    world.finish().await;
}

#[tokio::test]
async fn two_who_click_at_once_are_two() {
    let world = world(
        |config| rule(config, |rule| rule.needed = Some(2)),
        [bash("echo x"), Reply::says("Both agreed.")],
    )
    .await;
    let thread = world.mention("alice", "train it").await;
    let card = thread.card().await;
    tokio::join!(thread.click("alice", &card, "Approve"), thread.click("bob", &card, "Approve"));
    thread.answered("Both agreed.").await;
    world.finish().await;
}

#[tokio::test]
async fn an_edit_voids_what_the_other_agreed_to_and_shows_what_changed() {
    let world = world(
        |config| rule(config, |rule| rule.needed = Some(2)),
        [bash("echo epochs=100"), Reply::says("It ran.")],
    )
    .await;
    let thread = world.mention("alice", "train").await;
    let card = thread.card().await;
    thread.click("bob", &card, "Approve").await;
    thread.hears("1 of 2 agreed: bob").await;
    thread.click("alice", &card, "Edit").await;
    let view = world.modal("alice").await;
    world.slack.person("alice").submits_text(&view, "echo epochs=1").await.unwrap();
    thread.hears("1 of 2 agreed: alice").await;
    let told = shown(&message(&thread, &card));
    assert!(told.contains("-echo epochs=100") && told.contains("+echo epochs=1"), "{told}");
    assert_eq!(world.model.requests().len(), 1, "bob agreed to something else");
    // A yes counts once the new card is known to have arrived; who is quicker is told so, and clicks again.
    for _ in 0..40 {
        world.slack.person("bob").clicks(super::world::CHANNEL, &card, "Approve").await.ok();
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        if world.model.requests().len() > 1 {
            break;
        }
    }
    thread.answered("It ran.").await;
    let last = world.model.requests().pop().unwrap().to_string();
    assert!(last.contains("+echo epochs=1"), "{last}");
    world.finish().await;
}

#[tokio::test]
async fn a_member_of_the_group_may_answer_and_the_one_who_asked_may_not() {
    let world = world(
        |config| {
            rule(config, |rule| {
                rule.who = Some(WhoApproves::Listed);
                rule.approver_groups = vec!["S0LEADS0000".into()];
            });
        },
        [bash("echo x"), Reply::says("Done.")],
    )
    .await;
    let thread = world.mention("alice", "train it").await;
    let card = thread.card().await;
    assert!(shown(&message(&thread, &card)).contains("members of @leads"), "{}", thread.transcript());
    thread.click("alice", &card, "Approve").await;
    private_line(&world, &thread, "alice", "not among the people").await;
    thread.click("alice", &card, "Reject").await;
    private_line(&world, &thread, "alice", "not among the people").await;
    thread.click("bob", &card, "Approve").await;
    thread.answered("Done.").await;
    assert_eq!(world.slack.calls().iter().filter(|it| it.method == "usergroups.users.list").count(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_group_that_cannot_be_read_has_no_members() {
    let world = world(
        |config| {
            rule(config, |rule| {
                rule.who = Some(WhoApproves::Listed);
                rule.approver_groups = vec!["S0NOWHERE00".into()];
                rule.expires_after_s = Some(4);
            });
        },
        [bash("echo x"), Reply::says("Then not.")],
    )
    .await;
    let thread = world.mention("alice", "train it").await;
    let card = thread.card().await;
    thread.click("bob", &card, "Approve").await;
    private_line(&world, &thread, "bob", "not among the people").await;
    thread.answered("Then not.").await;
    world.finish().await;
}

#[tokio::test]
async fn rules_by_channel_person_and_group_each_ask_for_what_the_session_had_allowed() {
    let world = world(
        |config| {
            config.yolo_mode = true;
            let asks = |rule: &mut ApprovalRule| rule.verdict = Some(RuleVerdict::AlwaysAsk);
            rule(config, |rule| {
                asks(rule);
                rule.name = Some("channel".into());
                rule.channel = Some("C0PLAYGR001".into());
                rule.arguments = [("command".to_owned(), "echo channel*".to_owned())].into();
            });
            rule(config, |rule| {
                asks(rule);
                rule.name = Some("group".into());
                rule.user_group = Some("S0LEADS0000".into());
            });
            rule(config, |rule| {
                asks(rule);
                rule.name = Some("person".into());
                rule.person = Some("U0MALLORY00".into());
            });
        },
        [
            bash("echo free"),
            Reply::says("No question for alice."),
            bash("echo channel"),
            Reply::says("The channel's rule asked."),
            bash("echo leads"),
            Reply::says("The group's rule asked."),
            bash("echo visitor"),
            Reply::says("The person's rule asked."),
        ],
    )
    .await;
    let thread = world.mention("alice", "go").await;
    thread.answered("No question for alice.").await;
    for (who, name, answer) in [
        ("alice", "channel", "The channel's rule asked."),
        ("bob", "group", "The group's rule asked."),
        ("mallory", "person", "The person's rule asked."),
    ] {
        let thread = world.mention(who, "go").await;
        let card = thread.card().await;
        let told = shown(&message(&thread, &card));
        assert!(told.contains(&format!("The rule “{name}” wants people to be asked.")), "{told}");
        thread.click("bob", &card, "Approve").await;
        thread.answered(answer).await;
    }
    world.finish().await;
}

#[tokio::test]
async fn people_are_reminded_once_and_when_the_time_is_up_the_work_stops() {
    let world = world(
        |config| {
            rule(config, |rule| {
                rule.verdict = Some(RuleVerdict::Ask);
                rule.expires_after_s = Some(4);
                rule.remind_before_s = Some(2);
                rule.on_expiry = Some(OnExpiry::Stop);
            });
        },
        [bash("echo late")],
    )
    .await;
    let thread = world.mention("alice", "go").await;
    let card = thread.card().await;
    thread.hears("still waits for an answer").await;
    thread.hears("Stopped by the clock, because nobody answered in time.").await;
    let reminders =
        thread.messages().iter().filter(|it| shown(it).contains("still waits for an answer")).count();
    assert_eq!(reminders, 1);
    assert!(!has_button(&message(&thread, &card), "Approve"));
    assert!(shown(&message(&thread, &card)).contains("without an answer"), "{}", thread.transcript());
    world.finish().await;
}

#[tokio::test]
async fn a_vote_outlives_a_restart_and_a_rule_that_forbids_is_told_to_the_model() {
    let mut world = world(
        |config| {
            rule(config, |rule| rule.needed = Some(2));
            rule(config, |rule| {
                rule.name = Some("no secrets".into());
                rule.arguments = [("command".to_owned(), "*secret*".to_owned())].into();
                rule.verdict = Some(RuleVerdict::Never);
            });
        },
        [bash("cat secret"), bash("echo fine"), Reply::says("The other way.")],
    )
    .await;
    let (root, card) = {
        let thread = world.mention("alice", "go").await;
        let card = thread.card().await;
        thread.click("alice", &card, "Approve").await;
        thread.hears("1 of 2 agreed: alice").await;
        (thread.root.clone(), card)
    };
    let told = world.model.requests().pop().unwrap().to_string();
    assert!(told.contains("The rule “no secrets” does not allow it."), "{told}");
    world.restart().await;
    let thread = world.thread(&root);
    thread.click("bob", &card, "Approve").await;
    thread.answered("The other way.").await;
    assert!(shown(&message(&thread, &card)).contains("Approved by alice and bob"), "{}", thread.transcript());
    world.finish().await;
}
