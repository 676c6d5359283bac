//! Calls whose work goes on outside: a turn that waits, ends that come late, money that is held meanwhile.

use super::*;
use crate::agent::away::{self, Return, Settled};
use crate::protocol::{
    CallStatus, JobWork, NewTicket, OperationKind, TicketChange, TicketId, TicketWant, Waits, Work,
};

/// A tool that begins a job; `watched` begins one that nobody waits for.
struct Begins(&'static str);

#[async_trait]
impl Tool for Begins {
    fn spec(&self) -> ToolSpec {
        ToolSpec { name: self.0.into(), description: String::new(), parameters: json!({ "type": "object" }) }
    }

    fn assess(&self, _: &Value, _: &Place) -> Result<Assessment, BadArguments> {
        Ok(Assessment {
            cost: crate::protocol::Cost::AtMost(600_000),
            together: Together::Parallel,
            ..Assessment::changes("train")
        })
    }

    async fn call(&self, arguments: Value, _: CallContext) -> Result<ToolOutcome, ToolError> {
        let id = arguments["id"].as_str().unwrap_or("1").to_owned();
        let ticket = NewTicket {
            id: TicketId(format!("job:ann/{id}")),
            work: Work::Job(JobWork {
                title: "train".into(),
                price: Some(600_000),
                timeout_s: 3_600,
                ..JobWork::default()
            }),
            waits: if self.0 == "watched" { Waits::NoOne } else { Waits::ForEnd },
        };
        Ok(ToolOutcome::begun(ticket, format!("Job {id} is running.")))
    }
}

fn with_jobs(replies: impl IntoIterator<Item = Result<Completion, ModelError>>) -> Bench {
    let mut bench = Bench::new(replies);
    bench.agent.toolbox = Toolbox::new(vec![Arc::new(Begins("train")), Arc::new(Begins("watched"))]);
    bench
}

impl Bench {
    /// Goes on until the turn waits or is over, and saves nothing: what a save would write can be read.
    async fn work(&mut self) {
        let sink: Arc<dyn EventSink> = self.seen.clone();
        while self.agent.advance(&mut self.session, &self.place, &sink, &self.cancel).await == Advance::Again
        {
        }
    }

    fn said_last(&self) -> Option<String> {
        match self.state() {
            TurnState::Over { ending: crate::protocol::Ending::Finished { text }, .. } => text.clone(),
            other => panic!("{other:?}"),
        }
    }
}

fn settled<'a>(ticket: &'a TicketId, output: &'a str) -> Settled<'a> {
    Settled { ticket, output, success: true }
}

fn operation(kind: OperationKind) -> crate::protocol::Operation {
    crate::protocol::Operation {
        id: "op".into(),
        session: "s".into(),
        origin: Origin::new(Door::Terminal, Value::Null),
        actor: Actor::new("ann", "Ann"),
        at: Timestamp(5),
        kind,
    }
}

fn opened(session: &Session) -> Vec<String> {
    session
        .unsaved_tickets()
        .iter()
        .filter_map(|change| match change {
            TicketChange::Open { ticket } => Some(ticket.id.to_string()),
            TicketChange::Ask { .. } => None,
        })
        .collect()
}

fn asked(session: &Session) -> Vec<(String, TicketWant)> {
    session
        .unsaved_tickets()
        .iter()
        .filter_map(|change| match change {
            TicketChange::Ask { ticket, request } => Some((ticket.to_string(), request.want.clone())),
            TicketChange::Open { .. } => None,
        })
        .collect()
}

#[tokio::test]
async fn a_turn_waits_for_its_job_and_goes_on_with_its_end_as_the_result() {
    let mut bench = with_jobs([calls(&[("a", "train", json!({}))]), says("It is trained.")]);
    bench.work().await;
    let Some(TurnState::Away { calls, told: false }) = bench.session.head.turn.as_ref().map(|it| &it.state)
    else {
        panic!("{:?}", bench.session.head.turn)
    };
    assert_eq!(calls[0].status, CallStatus::Away);
    assert_eq!(opened(&bench.session), ["job:ann/1"]);
    assert_eq!(
        bench.session.head.tickets[0].ticket.pledge.as_ref().map(|pledge| pledge.micros),
        Some(Some(600_000))
    );
    assert!(bench.session.head.usage.cost < 600_000, "what is set aside is not spent yet");

    let id = TicketId::from("job:ann/1");
    bench.agent.settle_ticket(&mut bench.session, &id, Some(250_000)).await.unwrap();
    let Return::Result(events) = away::settle(&mut bench.session, settled(&id, "loss 0.3")) else { panic!() };
    assert!(matches!(&events[..], [Event::ToolOutput { output, success: true, .. }] if output == "loss 0.3"));
    assert!(bench.session.head.tickets.is_empty());
    assert!(bench.session.head.usage.cost >= 250_000 && bench.session.head.usage.cost < 600_000);
    assert_eq!(bench.session.head.turn.as_ref().map(|it| &it.state), Some(&TurnState::Thinking));
    bench.work().await;
    assert_eq!(bench.said_last().as_deref(), Some("It is trained."));
}

#[tokio::test]
async fn two_jobs_of_one_step_are_waited_for_together() {
    let mut bench = with_jobs([
        calls(&[("a", "train", json!({ "id": "1" })), ("b", "train", json!({ "id": "2" }))]),
        says("Both."),
    ]);
    bench.work().await;
    let (one, two) = (TicketId::from("job:ann/1"), TicketId::from("job:ann/2"));
    assert!(matches!(away::settle(&mut bench.session, settled(&two, "second")), Return::Result(_)));
    assert!(matches!(bench.session.head.turn.as_ref().map(|it| &it.state), Some(TurnState::Away { .. })));
    assert!(matches!(away::settle(&mut bench.session, settled(&one, "first")), Return::Result(_)));
    assert_eq!(bench.session.head.turn.as_ref().map(|it| &it.state), Some(&TurnState::Thinking));
    bench.work().await;
    assert_eq!(bench.said_last().as_deref(), Some("Both."));
}

#[tokio::test]
async fn whoever_speaks_meanwhile_is_answered_and_the_end_is_news() {
    let mut bench = with_jobs([calls(&[("a", "train", json!({}))]), says("It runs.")]);
    bench.work().await;
    let events = away::detach(&mut bench.session);
    assert!(matches!(&events[..], [Event::ToolOutput { output, .. }]
        if output.starts_with("Job 1 is running.") && output.contains("will be reported here by itself")));
    bench.work().await;
    assert_eq!(bench.said_last().as_deref(), Some("It runs."));
    assert_eq!(bench.session.head.tickets.len(), 1, "the job goes on");
    let id = TicketId::from("job:ann/1");
    assert_eq!(away::settle(&mut bench.session, settled(&id, "done")), Return::News);
    let Some(Item::Synthetic { text }) = bench.session.items().last().map(AsRef::as_ref) else { panic!() };
    assert!(text.contains("`job:ann/1` (train) has ended well") && text.contains("as data:\ndone"), "{text}");
}

#[tokio::test]
async fn an_end_that_comes_twice_or_of_nothing_known_is_news_and_harmless() {
    let mut bench = with_jobs([calls(&[("a", "train", json!({}))])]);
    bench.work().await;
    let id = TicketId::from("job:ann/1");
    bench.agent.settle_ticket(&mut bench.session, &id, Some(1)).await.unwrap();
    away::settle(&mut bench.session, settled(&id, "done"));
    let spent = bench.session.head.usage.cost;
    bench.agent.settle_ticket(&mut bench.session, &id, Some(1)).await.unwrap();
    assert_eq!(bench.session.head.usage.cost, spent, "paid once");
    assert_eq!(away::settle(&mut bench.session, settled(&"job:bob/9".into(), "?")), Return::News);
}

#[tokio::test]
async fn a_stopped_job_is_asked_to_end_once_and_its_end_wakes_nobody() {
    let mut bench = with_jobs([calls(&[("a", "train", json!({}))])]);
    bench.work().await;
    bench.session.mark_saved();
    let stop = operation(OperationKind::Stop);
    assert_eq!(away::stop_all(&mut bench.session, &stop), ["train"]);
    assert_eq!(away::stop_all(&mut bench.session, &stop), Vec::<String>::new());
    assert_eq!(asked(&bench.session), [("job:ann/1".to_owned(), TicketWant::Stop)]);
    crate::agent::results::close_open_calls(&mut bench.session, "Not run: Ann stopped the work.");
    bench.agent.end(&mut bench.session, crate::protocol::Ending::Interrupted { by: None });
    assert_eq!(away::settle(&mut bench.session, settled(&"job:ann/1".into(), "cancelled")), Return::Note);
}

#[tokio::test]
async fn work_that_nobody_waits_for_leaves_the_turn_going_and_keeps_its_money() {
    let mut bench = with_jobs([calls(&[("a", "watched", json!({}))]), says("It is up.")]);
    bench.work().await;
    assert_eq!(bench.said_last().as_deref(), Some("It is up."));
    assert_eq!(opened(&bench.session), ["job:ann/1"]);
    assert!(bench.session.head.tickets[0].ticket.pledge.is_some());
    assert_eq!(away::settle(&mut bench.session, settled(&"job:ann/1".into(), "deleted")), Return::Note);
}

#[tokio::test]
async fn people_let_a_job_run_longer_and_only_then_money_is_set_aside() {
    let mut bench = with_jobs([calls(&[("a", "train", json!({}))])]);
    bench.work().await;
    bench.session.mark_saved();
    let ann = Actor::new("alice", "Ann");
    assert!(bench.agent.ask_for_longer(&mut bench.session, &"job:ann/1".into(), &ann));
    let approval = bench.session.head.turn.as_ref().and_then(|turn| turn.approval()).unwrap().clone();
    assert!(approval.calls[0].title.contains("run 1 h longer"), "{}", approval.calls[0].title);
    assert_eq!(approval.calls[0].cost, crate::protocol::Cost::AtMost(600_000));
    assert!(
        !bench.agent.ask_for_longer(&mut bench.session, &"job:ann/1".into(), &ann),
        "one question at a time"
    );

    let answer = crate::agent::answer::Answer {
        approval: &approval.id,
        verdict: &crate::protocol::Verdict::Approve,
        by: &ann,
        at: Timestamp(6),
    };
    bench.agent.decide(&mut bench.session, None, answer).unwrap();
    assert!(asked(&bench.session).is_empty(), "no money, no request");
    bench.agent.fund_longer(&mut bench.session).await.unwrap();
    let requests = asked(&bench.session);
    assert!(
        matches!(&requests[..], [(id, TicketWant::Longer { seconds: 3_600, pledge: Some(_) })] if id == "job:ann/1")
    );
    assert_eq!(bench.session.head.tickets[0].more.len(), 1);
    bench.work().await;
    assert!(
        matches!(bench.session.head.turn.as_ref().map(|it| &it.state), Some(TurnState::Away { .. })),
        "it waits on"
    );
}
