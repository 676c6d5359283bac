//! Dashboards: set up once, left alone after that, and never in anybody's way.

use ml_intern::clients::hub::{Hub, Patience};
use ml_intern::secret::Secret;
use ml_intern::tools::hub::trackio::seed;
use serde_json::json;

use super::space_hub::{SpaceHub, TOKEN};

async fn hub() -> (SpaceHub, Hub) {
    ml_intern::clients::http::install_tls();
    let fake = SpaceHub::start().await;
    let hub = Hub::new(&fake.url, Some(Secret::new(TOKEN))).unwrap().with_patience(Patience::none());
    (fake, hub)
}

#[tokio::test]
async fn a_dashboard_is_made_whole_and_the_second_time_nothing_is_done() {
    let (fake, hub) = hub().await;
    let first = seed(&hub, "alice/runs").await;
    assert_eq!(first.problem, None);
    assert_eq!(
        first.done,
        ["space", "files", "bucket", "volume", "TRACKIO_DIR", "TRACKIO_BUCKET_ID"],
        "{:?}",
        fake.lines()
    );
    fake.look(|shelf| {
        let space = &shelf.spaces["alice/runs"];
        assert!(space.private && space.files["app.py"].contains("trackio.show("));
        assert_eq!(
            space.volumes,
            [json!({ "type": "bucket", "source": "alice/runs-bucket", "mountPath": "/data" })]
        );
        assert_eq!(space.variables["TRACKIO_DIR"], "/data/trackio");
        assert_eq!(space.variables["TRACKIO_BUCKET_ID"], "alice/runs-bucket");
    });
    let second = seed(&hub, "alice/runs").await;
    assert_eq!((second.done.len(), second.problem), (0, None));
    assert!(fake.look(|shelf| shelf.wrong.clone()).is_empty());
}

#[tokio::test]
async fn other_volumes_stay_and_a_space_that_is_something_else_is_left_alone() {
    let (fake, hub) = hub().await;
    seed(&hub, "alice/runs").await;
    let models = json!({ "type": "model", "source": "alice/m", "mountPath": "/models", "readOnly": true });
    fake.look(|shelf| {
        let space = shelf.spaces.get_mut("alice/runs").unwrap();
        space.volumes = vec![models.clone()];
    });
    assert_eq!(seed(&hub, "alice/runs").await.done, ["volume"]);
    assert_eq!(fake.look(|shelf| shelf.spaces["alice/runs"].volumes[0].clone()), models);
    fake.look(|shelf| {
        let space = shelf.spaces.get_mut("alice/runs").unwrap();
        space.files.insert("app.py".to_owned(), "print('my game')".to_owned());
    });
    let left = seed(&hub, "alice/runs").await;
    assert!(left.problem.as_deref().unwrap().contains("left as it is"), "{left:?}");
    assert_eq!(fake.look(|shelf| shelf.spaces["alice/runs"].files["app.py"].clone()), "print('my game')");
    assert!(left.told().contains("The work goes on without it"), "{}", left.told());
}

#[tokio::test]
async fn a_hub_that_says_no_is_a_note() {
    let (fake, hub) = hub().await;
    fake.look(|shelf| shelf.refusals.push_back(403));
    let refused = seed(&hub, "alice/runs").await;
    assert!(
        refused.problem.as_deref().unwrap().starts_with("the Space: this account may not"),
        "{refused:?}"
    );
}
