//! What strangers, members and impatient clients meet at the small Hub: by plain HTTP.

use std::time::Duration;

use serde_json::{Value, json};

use super::desk_tests::{Asker, MORNING, standing};
use super::{BOT, Gate, HubFault, HubOptions, Kind, ORG, RepoSeed, Service, SmallHub, Trouble};
use crate::clock::Clock;

fn seeded() -> RepoSeed {
    RepoSeed::new(Kind::Dataset, "acme/secret")
        .file("a.txt", "small")
        .file("data/test.jsonl", "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"r\"}\n")
        .large("w.bin", vec![7_u8; 3000])
}

#[tokio::test]
async fn a_gate_shows_the_house_and_keeps_the_door() {
    let (hub, _) = standing().await;
    hub.seed(seeded().gated(Gate::Manual, &["carol"]));
    let nobody = Asker::new(hub.url(), None);
    let stranger = Asker::new(hub.url(), Some(HubOptions::token_of("carol")));
    let (status, tree) = nobody.get("/api/datasets/acme/secret/tree/main").await;
    assert_eq!((status, tree.as_array().unwrap().len()), (200, 4));
    let answer = nobody.request("GET", "/datasets/acme/secret/resolve/main/a.txt").send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["x-error-code"].to_str().unwrap()),
        (401, "GatedRepo")
    );
    assert_eq!(stranger.get("/datasets/acme/secret/resolve/main/a.txt").await, (200, "small".into()));

    hub.seed(seeded().private());
    for (who, status) in [(&nobody, 401), (&stranger, 404)] {
        let answer = who.request("GET", "/api/datasets/acme/secret").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.headers()["x-error-code"], "RepoNotFound");
    }
    let wrong = Asker::new(hub.url(), Some("hf_nobody".into())).get("/api/datasets/acme/secret").await;
    assert_eq!(wrong, (401, json!({"error": "Invalid credentials in Authorization header"})));
    let reader = Asker::new(hub.url(), Some(HubOptions::read_token_of("alice")));
    assert_eq!(reader.post("/api/repos/create", json!({"name": "x"})).await.0, 403);
}

#[tokio::test]
async fn large_files_are_elsewhere_and_no_token_may_follow() {
    let (hub, clock) = standing().await;
    let commit = hub.seed(seeded());
    #[expect(clippy::disallowed_methods, reason = "a test that looks at redirects")]
    let http =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let address = format!("{}/datasets/acme/secret/resolve/main/w.bin", hub.url());
    let answer = http.get(&address).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["x-repo-commit"].to_str().unwrap()),
        (302, commit.as_str())
    );
    assert_eq!(answer.headers()["x-linked-size"], "3000");
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(place.starts_with(&hub.addresses().cdn));
    assert_eq!(http.get(&place).bearer_auth("hf_x").send().await.unwrap().status(), 400);
    let part = http.get(&place).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!(
        (part.status().as_u16(), part.headers()["content-range"].to_str().unwrap()),
        (206, "bytes 10-19/3000")
    );
    assert_eq!(part.bytes().await.unwrap().len(), 10);
    clock.advance(Duration::from_secs(7200));
    assert_eq!(http.get(&place).send().await.unwrap().status(), 403, "an old address is over");
    let made_up = place.replace("Signature=", "Signature=0");
    assert_eq!(http.get(&made_up).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_commit_happens_whole_or_not_at_all() {
    let (hub, _) = standing().await;
    let before = hub.seed(seeded());
    let alice = Asker::alice(&hub);
    let commit = |lines: Vec<Value>| {
        let header = json!({"key": "header", "value": {"summary": "s"}});
        let text: String = std::iter::once(header).chain(lines).map(|it| format!("{it}\n")).collect();
        alice.request("POST", "/api/datasets/acme/secret/commit/main").body(text).send()
    };
    let file =
        |path: &str| json!({"key": "file", "value": {"path": path, "content": "x", "encoding": "utf-8"}});
    let good = file("good.txt");
    let bad = [
        (file("../up.txt"), 400),
        (file("a.txt/under"), 400),
        (file("data"), 400),
        (json!({"key": "deletedFile", "value": {"path": "nope"}}), 404),
        (json!({"key": "lfsFile", "value": {"path": "l.bin", "algo": "sha256", "oid": "0".repeat(64)}}), 400),
        (json!({"key": "mystery", "value": {"path": "x"}}), 400),
    ];
    for (line, status) in bad {
        let answer = commit(vec![good.clone(), line.clone()]).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{line}");
        assert_eq!(hub.look(|it| it.commit_of(Kind::Dataset, "acme/secret", "main")).as_ref(), Some(&before));
    }
    let done: Value = commit(vec![good]).await.unwrap().json().await.unwrap();
    let after = hub.look(|it| it.commit_of(Kind::Dataset, "acme/secret", "main"));
    assert_eq!((done["commitOid"].as_str(), after.as_ref() == Some(&before)), (after.as_deref(), false));
    assert_eq!(hub.look(|it| it.file(Kind::Dataset, "acme/secret", &before, "good.txt")), None);
}

#[tokio::test]
async fn answers_are_tagged_and_faults_strike_as_told() {
    let (hub, _) = standing().await;
    let alice = Asker::alice(&hub);
    let first = alice.request("GET", "/api/whoami-v2").send().await.unwrap();
    let tag = first.headers()["etag"].clone();
    let again = alice.request("GET", "/api/whoami-v2").header("if-none-match", tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0));

    hub.fault(HubFault::new("/whoami", Trouble::RateLimited { retry_after: 7 }));
    let limited = alice.request("GET", "/api/whoami-v2").send().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    hub.fault(HubFault::new("/whoami", Trouble::Drop));
    assert!(alice.request("GET", "/api/whoami-v2").send().await.is_err(), "the connection broke");
    hub.fault(HubFault::new("/whoami", Trouble::Cut { after: 400 }));
    let cut = alice.request("GET", "/api/whoami-v2").send().await.unwrap();
    assert!(cut.bytes().await.is_err(), "the body broke off");
    hub.fault(HubFault::new("/whoami", Trouble::Hold));
    let held = tokio::spawn(alice.request("GET", "/api/whoami-v2").send());
    assert!(hub.until(Duration::from_secs(5), |calls| (calls.len() == 6).then_some(())).await.is_some());
    assert!(!held.is_finished());
    hub.clear_faults();
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    let statuses: Vec<u16> = hub.calls().iter().map(|it| it.status).collect();
    assert_eq!(statuses, [200, 304, 429, 0, 200, 200]);
    assert!(hub.calls().iter().all(|it| it.caller.as_deref() == Some("alice") && it.at == MORNING));
    assert!(!format!("{:?}", hub.calls()).contains(&hub.token("alice")));
}

#[tokio::test]
async fn the_viewer_reads_what_is_in_the_repo() {
    let hub = SmallHub::start(HubOptions::playground(Clock::manual(MORNING))).await.unwrap();
    let ask = Asker::new(&hub.addresses().viewer, None);
    let (status, splits) = ask.get("/splits?dataset=ml-intern-demo/reviews").await;
    assert_eq!((status, splits["splits"][1]["split"].as_str()), (200, Some("test")));
    let place = "dataset=ml-intern-demo/reviews&config=default&split=test";
    let (_, rows) = ask.get(&format!("/rows?{place}&offset=38&length=5")).await;
    assert_eq!((rows["num_rows_total"].as_u64(), rows["rows"].as_array().unwrap().len()), (Some(40), 2));
    assert_eq!(
        rows["features"][1]["type"],
        json!({"names": ["negative", "positive"], "_type": "ClassLabel"})
    );
    assert!(rows["rows"][0]["row"]["label"].is_u64() && rows["rows"][0]["row"]["text"].is_string());
    let (_, stats) = ask.get(&format!("/statistics?{place}")).await;
    let classes = &stats["statistics"][1]["column_statistics"]["frequencies"];
    assert_eq!(classes["negative"].as_u64().unwrap() + classes["positive"].as_u64().unwrap(), 40);
    for (path, status) in [
        ("/splits", 422),
        ("/splits?dataset=no/such", 401),
        ("/info?dataset=ml-intern-demo/reviews&config=nope", 404),
        ("/rows?dataset=ml-intern-demo/reviews&config=default&split=nope", 404),
        ("/rows?dataset=ml-intern-demo/reviews&config=default&split=test&length=101", 422),
    ] {
        assert_eq!(ask.get(path).await.0, status, "{path}");
    }
    hub.answer_viewer("ml-intern-demo/reviews", "/splits", 500, json!({"error": "later"}));
    assert_eq!(ask.get("/splits?dataset=ml-intern-demo/reviews").await, (500, json!({"error": "later"})));
}

#[tokio::test]
async fn papers_are_found_read_and_cited_and_no_token_goes_there() {
    let hub = SmallHub::start(HubOptions::playground(Clock::manual(MORNING))).await.unwrap();
    let at = hub.addresses().clone();
    let bot = Asker::new(hub.url(), Some(hub.token(BOT)));
    let (_, found) = bot.get("/api/papers/search?q=sentiment%20reviews%20cpu").await;
    assert_eq!(found[0]["paper"]["id"], "2609.90011");
    let (_, paper) = bot.get("/api/papers/2609.90011").await;
    assert_eq!(paper["linkedDatasets"][0]["id"], format!("{ORG}/reviews"));
    let html = |base: &str, id: &str| {
        let ask = Asker::new(base, None);
        let path = format!("/html/{id}");
        async move { ask.get(&path).await }
    };
    let (status, page) = html(&at.arxiv, "2609.90011").await;
    let page = page.as_str().unwrap().to_owned();
    assert!(status == 200 && page.contains("ltx_title_document") && page.contains("id=\"S2.SS2\""), "{page}");
    assert_eq!(html(&at.arxiv, "2606.90102").await.0, 404);
    assert_eq!(html(&at.ar5iv, "2606.90102").await.0, 200);
    let scholar = Asker::new(&at.scholar, None);
    let (_, cited) =
        scholar.get("/graph/v1/paper/ARXIV:2511.90007/citations?fields=title,contexts,isInfluential").await;
    assert_eq!(cited["data"].as_array().unwrap().len(), 2);
    assert!(cited["data"][0]["citingPaper"]["title"].as_str().unwrap().starts_with("Hashed"));
    assert_eq!(scholar.get("/graph/v1/paper/ARXIV:2511.90007?fields=title,nope").await.0, 400);
    assert_eq!(scholar.get("/graph/v1/paper/ARXIV:1.1").await.0, 404);
    let query = "query=reviews&fields=title,citationCount&minCitationCount=10&sort=citationCount:desc&publicationDateOrYear=2026:";
    let (_, bulk) = scholar.get(&format!("/graph/v1/paper/search/bulk?{query}")).await;
    let counts: Vec<u64> =
        bulk["data"].as_array().unwrap().iter().map(|it| it["citationCount"].as_u64().unwrap()).collect();
    assert_eq!(counts, [24, 14]);
    let leak = Asker::new(&at.scholar, Some(hub.token(BOT))).get("/graph/v1/paper/ARXIV:2511.90007").await;
    assert_eq!(leak.0, 400, "a token of the Hub is refused elsewhere");
    assert!(hub.calls().iter().any(|it| it.service == Service::Scholar && it.caller.as_deref() == Some(BOT)));
}

#[tokio::test]
async fn documentation_has_a_sidebar_and_the_api_describes_itself() {
    let (hub, _) = standing().await;
    let alice = Asker::alice(&hub);
    let (_, front) = alice.get("/docs/trl").await;
    assert!(front.as_str().unwrap().contains("<nav class=\"flex-auto"), "{front}");
    assert!(front.as_str().unwrap().contains("href=\"/docs/trl/dpo_trainer\""));
    let (_, page) = alice.get("/docs/trl/dpo_trainer.md").await;
    assert!(page.as_str().unwrap().starts_with("# DPO Trainer"));
    assert_eq!(alice.get("/docs/nope").await.0, 404);
    let (_, api) = alice.get("/.well-known/openapi.json").await;
    assert!(api["paths"]["/api/repos/create"]["post"]["summary"].is_string());
    assert!(api["paths"].as_object().unwrap().keys().any(|it| it.starts_with("/api/jobs/")));
}
