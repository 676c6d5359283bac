//! Money in a thread: the sums at which people are asked, budgets that are used up, the cap of
//! auto-approval, and what `!usage` says.

use ml_intern::config::{Config, Limits, PriceConfig};
use ml_intern::playground::model::{Reply, Script, Usage};
use ml_intern::protocol::Usd;
use serde_json::json;

use super::world::{Setup, Thread, World, bash, has_button, shown};

const DOLLAR: u64 = 1_000_000;

/// One cent for every token of an answer: an answer is assumed to cost 80 dollars before it is there.
fn a_cent_a_token(config: &mut Config) {
    let price = PriceConfig {
        input_usd: Usd(0),
        output_usd: Usd(10_000 * DOLLAR),
        cached_usd: None,
        cache_write_usd: None,
    };
    config.budgets.prices.insert(config.model_name.clone(), price);
}

fn a_day(dollars: u64) -> Limits {
    Limits { day_usd: Some(Usd(dollars * DOLLAR)), month_usd: None }
}

async fn world(replies: impl IntoIterator<Item = Reply>, configure: fn(&mut Config)) -> World {
    let script = Script::Queue(replies.into_iter().collect());
    World::with(Setup { configure, ..Setup::new(script) }).await
}

/// A reply that costs so many cents.
fn costing(cents: u64, reply: Reply) -> Reply {
    reply.using(Usage { prompt: 100, completion: cents, cached: 0 })
}

/// A call that nobody is asked about.
fn plan() -> Reply {
    let items = json!([{ "id": "1", "content": "Look", "status": "completed" }]);
    Reply::calls([("plan_tool", json!({ "todos": items }))])
}

impl Thread<'_> {
    /// The card that asks about money, once it is there.
    async fn money_card(&self, title: &str) -> String {
        self.until(&format!("the card “{title}”"), |messages| {
            let asks =
                |it: &&ml_intern::playground::Message| has_button(it, "Approve") && shown(it).contains(title);
            messages.iter().find(asks).map(|it| it.ts.clone())
        })
        .await
    }
}

#[tokio::test]
async fn at_five_dollars_people_are_asked_and_a_yes_goes_on() {
    let replies = [costing(620, plan()), costing(20, Reply::says("Trained."))];
    let world = world(replies, a_cent_a_token).await;
    let thread = world.mention("alice", "train it").await;
    let card = thread.money_card("Go on past $5.00?").await;
    let message = thread.messages().into_iter().find(|it| it.ts == card).unwrap();
    for words in ["This session so far: $6.20", "This request, by alice: $6.20", "up to $10.00"] {
        assert!(shown(&message).contains(words), "{words} is not in {}", thread.transcript());
    }
    assert!(has_button(&message, "Reject"));
    assert!(!has_button(&message, "Edit") && !has_button(&message, "Approve for this session"));
    assert_eq!(world.model.requests().len(), 1, "nothing more is spent while people are asked");
    thread.click("alice", &card, "Approve").await;
    thread.answered("Trained.").await;
    insta::assert_snapshot!("money_card_after_a_yes", thread.settled().await);
    world.finish().await;
}

#[tokio::test]
async fn a_no_to_going_on_stops_the_work() {
    let world = world([costing(500, plan())], a_cent_a_token).await;
    let thread = world.mention("alice", "train it").await;
    let card = thread.money_card("Go on past $5.00?").await;
    thread.click("alice", &card, "Reject").await;
    let view = world.modal("alice").await;
    world.slack.person("alice").submits_text(&view, "too dear").await.unwrap();
    thread.hears("Stopped by alice.").await;
    let decided = thread.messages().into_iter().find(|it| it.ts == card).unwrap();
    assert!(shown(&decided).contains("Rejected by alice"), "{}", thread.transcript());
    world.finish().await;
}

#[tokio::test]
async fn a_new_message_overtakes_the_question_and_it_is_asked_anew() {
    let replies = [costing(500, plan()), costing(20, Reply::says("Smaller, then."))];
    let world = world(replies, a_cent_a_token).await;
    let thread = world.mention("alice", "train it").await;
    let first = thread.money_card("Go on past $5.00?").await;
    thread.reply("alice", "take a smaller model").await;
    let second = thread
        .until("a second card", |messages| {
            let open = |it: &&ml_intern::playground::Message| has_button(it, "Approve") && it.ts != first;
            messages.iter().find(open).map(|it| it.ts.clone())
        })
        .await;
    thread.click("alice", &second, "Approve").await;
    thread.answered("Smaller, then.").await;
    world.finish().await;
}

#[tokio::test]
async fn a_question_that_nobody_answers_ends_the_turn_and_does_not_ask_again_by_itself() {
    let configure = |config: &mut Config| {
        a_cent_a_token(config);
        config.approvals.expires_after_s = 1;
    };
    let world = world([costing(500, plan())], configure).await;
    let thread = world.mention("alice", "train it").await;
    thread.hears("Go on past $5.00?").await;
    thread.hears("nobody said in time whether I may go on").await;
    let transcript = thread.settled().await;
    assert_eq!(transcript.matches("Go on past $5.00?").count(), 1, "{transcript}");
    assert!(transcript.contains("[Retry]"), "{transcript}");
    world.finish().await;
}

#[tokio::test]
async fn a_used_up_budget_says_whose_it_is_how_much_and_until_when_and_others_go_on() {
    let configure = |config: &mut Config| {
        a_cent_a_token(config);
        config.budgets.warn_at_usd = Usd(0);
        config.budgets.person = a_day(100);
    };
    let replies = [costing(9_000, Reply::says("That was dear.")), costing(20, Reply::says("For bob."))];
    let world = world(replies, configure).await;
    let thread = world.mention("alice", "train it").await;
    thread.answered("That was dear.").await;
    thread.reply("alice", "again").await;
    thread.hears("the budget of alice for today has not enough left: $90.00 of $100.00 spent").await;
    thread.hears("It starts again at ").await;
    thread.hears("Whoever runs me can raise it").await;
    let other = world.mention("bob", "a small thing").await;
    other.answered("For bob.").await;
    assert_eq!(world.model.requests().len(), 2, "the model was not asked for alice again");
    world.finish().await;
}

#[tokio::test]
async fn two_sessions_at_once_cannot_jointly_overrun_their_channel() {
    let configure = |config: &mut Config| {
        a_cent_a_token(config);
        config.budgets.channel = a_day(100);
    };
    let slow = costing(20, Reply::says("I was first.")).slowly(std::time::Duration::from_millis(300));
    let world = world([slow], configure).await;
    let first = world.mention("alice", "one").await;
    let second = world.mention("bob", "two").await;
    let refused = |it: &Thread<'_>| {
        it.transcript().contains("the budget of this channel for today has not enough left")
    };
    let answered = |it: &Thread<'_>| it.answers() == 1;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !(answered(&first) && refused(&second) || answered(&second) && refused(&first)) {
        assert!(std::time::Instant::now() < deadline, "{}\n{}", first.transcript(), second.transcript());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    world.finish().await;
}

#[tokio::test]
async fn auto_approval_pauses_at_its_cap() {
    let configure = |config: &mut Config| {
        a_cent_a_token(config);
        config.yolo_mode = true;
        config.budgets.yolo_cap_usd = Usd(DOLLAR);
    };
    let replies =
        [costing(40, bash("echo one")), costing(80, bash("echo two")), costing(20, Reply::says("Both ran."))];
    let world = world(replies, configure).await;
    let thread = world.mention("alice", "go").await;
    let card = thread.money_card("Go on with auto-approval past $1.00?").await;
    assert_eq!(world.model.requests().len(), 2, "both commands ran without a question");
    thread.click("alice", &card, "Approve").await;
    thread.answered("Both ran.").await;
    world.finish().await;
}

#[tokio::test]
async fn usage_and_status_say_what_was_spent() {
    let configure = |config: &mut Config| {
        a_cent_a_token(config);
        config.budgets.person = a_day(500);
    };
    let world = world([costing(120, Reply::says("Done."))], configure).await;
    let thread = world.mention("alice", "go").await;
    thread.answered("Done.").await;
    thread.reply("alice", "!usage").await;
    thread.hears("*This session*: $1.20").await;
    thread.hears("*alice*: $1.20 today (limit $500.00) · $1.20 this month").await;
    thread.hears("*This channel*: $1.20 today").await;
    thread.hears("*Tokens here*: 100 in, 120 out").await;
    thread.reply("alice", "!yolo on $20").await;
    thread.hears("until the session has spent $20.00 ($1.20 so far)").await;
    thread.reply("alice", "!status").await;
    thread.hears("*Spent*: $1.20").await;
    thread.hears("*Auto-approval*: on, until the session has spent $20.00").await;
    world.finish().await;
}
