//! A trackio dashboard that is ready before measurements come: a Space, a bucket that keeps them, variables.
//!
//! Used by `hf_jobs` (before `run` and `evaluate` begin their job) and by `sandbox_create`. Idempotent; changes nothing of a Space that is something else; what goes
//! wrong is a note and never keeps the work from running. Start at [`seed`].

use crate::clients::hub::spaces::Volume;
use crate::clients::hub::{Created, Hub, HubError};

/// What the dashboard's Space runs.
const APP: &str = "import trackio\n\ntrackio.show()\n";
/// What it needs.
const REQUIREMENTS: &str = "trackio\n";
/// What makes a Space's program a dashboard.
const SHOWS: &str = "trackio.show(";
/// Where the bucket is mounted.
const MOUNT: &str = "/data";
/// Where trackio keeps what it is told.
const KEEPS: &str = "/data/trackio";

/// What became of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeded {
    /// Where people see it.
    pub url: String,
    /// What was done, if anything had to be.
    pub done: Vec<&'static str>,
    /// Why it is not as it should be, if it is not.
    pub problem: Option<String>,
}

impl Seeded {
    /// One line for the model.
    #[must_use]
    pub fn told(&self) -> String {
        match &self.problem {
            None => format!("Dashboard: {}", self.url),
            Some(problem) => {
                format!(
                    "Dashboard: {} is not set up whole ({problem}). The work goes on without it.",
                    self.url
                )
            }
        }
    }
}

/// Makes sure that `space` is a dashboard that keeps its measurements. Never fails; see [`Seeded::problem`].
pub async fn seed(hub: &Hub, space: &str) -> Seeded {
    let mut done = Vec::new();
    let problem = set_up(hub, space, &mut done).await.err();
    if let Some(problem) = &problem {
        tracing::info!(space, problem, "a dashboard is not set up whole");
    }
    Seeded { url: hub.space_page(space), done, problem }
}

async fn set_up(hub: &Hub, space: &str, done: &mut Vec<&'static str>) -> Result<(), String> {
    let said = |what: &'static str| move |error: HubError| format!("{what}: {error}");
    let created = hub.create_private_space(space, "gradio").await.map_err(said("the Space"))?;
    if created == Created::New {
        done.push("space");
    }
    match hub.space_file(space, "app.py").await.map_err(said("its program"))? {
        Some(app) if app.contains(SHOWS) => {}
        Some(app) if created == Created::Before && !app.trim().is_empty() => {
            return Err(
                "there is a Space of that name that is no trackio dashboard; it was left as it is".to_owned()
            );
        }
        _ => {
            let readme = readme(space);
            let files = [("README.md", readme.as_str()), ("requirements.txt", REQUIREMENTS), ("app.py", APP)];
            hub.commit_to_space(space, "Set up the trackio dashboard", &files)
                .await
                .map_err(said("its files"))?;
            done.push("files");
        }
    }
    let bucket = format!("{space}-bucket");
    if hub.create_private_bucket(&bucket).await.map_err(said("its bucket"))? == Created::New {
        done.push("bucket");
    }
    let mut volumes = hub.space_runtime(space).await.map_err(said("its volumes"))?.volumes;
    match volumes.iter().find(|volume| volume.at() == Some(MOUNT)) {
        Some(volume) if volume.source() == Some(&bucket) => {}
        Some(_) => return Err(format!("something else is mounted at {MOUNT} of the Space")),
        None => {
            volumes.push(Volume::bucket(&bucket, MOUNT));
            hub.set_space_volumes(space, &volumes).await.map_err(said("its volumes"))?;
            done.push("volume");
        }
    }
    let there = hub.space_variables(space).await.map_err(said("its variables"))?;
    for (name, value) in [("TRACKIO_DIR", KEEPS), ("TRACKIO_BUCKET_ID", &bucket)] {
        if there.get(name).map(String::as_str) != Some(value) {
            hub.add_space_variable(space, name, value).await.map_err(said("its variables"))?;
            done.push(name);
        }
    }
    Ok(())
}

fn readme(space: &str) -> String {
    let title = space.rsplit('/').next().unwrap_or(space);
    format!(
        "---\ntitle: {title}\nemoji: 📈\ncolorFrom: blue\ncolorTo: green\nsdk: gradio\napp_file: app.py\npinned: false\ntags:\n  - trackio\n---\n\nMeasurements of training runs, shown by trackio.\n"
    )
}
