//! Sharing traces, where people opted in: each conversation, redacted, to the account's own dataset.
//!
//! Runs beside the work and never holds it up. A wish to upload is durable before the turn counts as told,
//! so that a crash loses none; uploads go one after another, the newest state of a session only, with growing
//! waits where the Hub refuses. Never makes anything public by itself. Start at [`Traces`].

mod queue;
mod sharing;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, Notify, OnceCell};
use tokio_util::sync::CancellationToken;

use self::queue::{Queue, Wanted};
pub(super) use self::sharing::Sharing;
pub use crate::clients::hub::Visibility;
use crate::clients::hub::{
    Change, Content, Created, Destination, Hub, HubError, NewCommit, NewRepo, Repo, RepoKind, Unwatched,
};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::protocol::SessionKey;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::Store;
use crate::trace::{self, Export};

/// The dataset, if none is configured.
const USUAL_REPO: &str = "{hf_user}/ml-intern-sessions";
/// What the dataset says of itself.
const CARD: &str = include_str!("card.md");
const CARD_NAME: &str = "README.md";
const BRANCH: &str = "main";
/// How often to look for wishes that nobody told of.
const LOOK: Duration = Duration::from_secs(30);
/// Waits after the first and after many refusals.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// The sharing of one process.
pub struct Traces {
    store: Arc<dyn Store>,
    hub: Hub,
    template: String,
    secrets: Arc<[Secret]>,
    queue: Queue,
    clock: Clock,
    random: Random,
    wake: Notify,
    account: OnceCell<String>,
    /// Whether the dataset is known to be there with its card; held while one upload is made.
    ready: Mutex<bool>,
    /// Sessions that were refused: how often, and until when they wait.
    waits: Mutex<HashMap<SessionKey, (u32, Timestamp)>>,
}

/// What the sharing of traces is made of.
pub(super) struct Supplies<'a> {
    pub(super) config: &'a Config,
    pub(super) data_dir: &'a Path,
    pub(super) store: Arc<dyn Store>,
    pub(super) secrets: Arc<[Secret]>,
    pub(super) clock: Clock,
    pub(super) random: Random,
}

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The dataset, owner/name.
    pub repo: String,
    /// Its page.
    pub page: String,
    /// Who may see it; `None` if it is made with the first upload.
    pub visibility: Option<Visibility>,
}

impl Traces {
    /// The sharing that is configured; `None` if none is, or it lacks what it needs (the log says what).
    pub(super) fn configured(supplies: Supplies<'_>) -> anyhow::Result<Option<Arc<Self>>> {
        let Supplies { config, data_dir, store, secrets, clock, random } = supplies;
        if let Some(repo) = &config.session_dataset_repo {
            tracing::warn!(
                repo,
                "session_dataset_repo is ignored: traces go to your own dataset (personal_trace_repo_template), never to a shared one"
            );
        }
        if !config.share_traces {
            return Ok(None);
        }
        let template = config.personal_trace_repo_template.clone().unwrap_or_else(|| USUAL_REPO.to_owned());
        if !is_template(&template) {
            tracing::warn!(
                template,
                "traces are not shared: personal_trace_repo_template must be {{hf_user}}/name"
            );
            return Ok(None);
        }
        let Some(token) = config.models.huggingface.api_key.clone() else {
            tracing::warn!("traces are not shared: there is no Hugging Face token (HF_TOKEN)");
            return Ok(None);
        };
        // A wish is for this account and place: another process with other settings must not fulfil it.
        let destination = destination(&config.services.hf_endpoint, &template, &token);
        Ok(Some(Arc::new(Self {
            store,
            hub: Hub::new(&config.services.hf_endpoint, Some(token))?,
            template,
            secrets,
            queue: Queue::new(data_dir.join("traces").join(destination)),
            clock,
            random,
            wake: Notify::new(),
            account: OnceCell::new(),
            ready: Mutex::new(false),
            waits: Mutex::default(),
        })))
    }

    /// Wants the newest state of a session uploaded. Returns when the wish is durable.
    pub(super) async fn want(&self, session: &SessionKey) {
        let wanted = Wanted { session: session.clone(), mark: self.random.id("") };
        if let Err(error) = self.queue.want(&wanted).await {
            tracing::error!(%session, error = format!("{error:#}"), "a trace will not be uploaded until the next turn ends");
        }
        self.waits.lock().await.remove(session);
        self.wake.notify_one();
    }

    /// Uploads what is wanted until `stop` fires.
    pub(super) async fn run(&self, stop: CancellationToken) {
        loop {
            let next = self.upload_due().await.min(LOOK);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(next) => {}
            }
        }
    }

    /// Uploads everything that is wanted and does not wait, and says when to look again.
    pub(super) async fn upload_due(&self) -> Duration {
        let mut next = LOOK;
        for wanted in self.queue.all().await {
            let now = self.clock.now();
            let waits = self.waits.lock().await.get(&wanted.session).map(|(_, until)| *until);
            if let Some(until) = waits.filter(|until| *until > now) {
                next = next.min(Duration::from_millis(until.0.abs_diff(now.0)));
                continue;
            }
            match self.upload(&wanted.session).await {
                Ok(()) => self.queue.done(&wanted).await,
                Err(error) => next = next.min(self.refused(&wanted.session, &error).await),
            }
        }
        next
    }

    /// Remembers a refusal; gives how long the session waits now.
    async fn refused(&self, session: &SessionKey, error: &anyhow::Error) -> Duration {
        let mut waits = self.waits.lock().await;
        let times = waits.get(session).map_or(0, |(times, _)| *times) + 1;
        let hub = error.downcast_ref::<HubError>();
        let growing = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(times - 1)).min(LONGEST_WAIT);
        let wait = match hub {
            Some(HubError::Limited { after: Some(after) }) => (*after).min(LONGEST_WAIT),
            Some(error) if !error.may_pass() => LONGEST_WAIT,
            _ => self.random.jitter(growing),
        };
        if times == 1 || wait >= LONGEST_WAIT {
            tracing::warn!(%session, error = format!("{error:#}"), again_in_s = wait.as_secs(), "a trace was not uploaded");
        }
        waits.insert(session.clone(), (times, self.clock.now().plus(wait)));
        wait
    }

    async fn upload(&self, session: &SessionKey) -> anyhow::Result<()> {
        let loaded = self.store.load(session).await?;
        let Some(head) = loaded.head else { return Ok(()) };
        let (id, started) = trace::conversation(&head, &loaded.items);
        let secrets = self.secrets.clone();
        // A long conversation takes a while to look through.
        let written = tokio::task::spawn_blocking({
            let id = id.clone();
            move || trace::export(Export { session: &id, started, items: &loaded.items, secrets: &secrets })
        });
        let text = written.await?;
        if text.is_empty() {
            return Ok(());
        }
        // One at a time: the Hub takes one commit after another anyway.
        let mut ready = self.ready.lock().await;
        let repo = self.repo().await?;
        let path = format!("sessions/{}/{id}.jsonl", day(started));
        let mut changes = vec![Change::Put { path, content: Content::Bytes(text.into()) }];
        if !*ready {
            if self.hub.visibility(&repo).await?.is_none() {
                self.hub.create(&private(&repo)).await?;
            }
            if !self.hub.has_file((&repo, BRANCH), CARD_NAME).await? {
                let content = Content::Bytes(CARD.as_bytes().into());
                changes.push(Change::Put { path: CARD_NAME.to_owned(), content });
            }
        }
        let commit = NewCommit {
            repo,
            revision: BRANCH.to_owned(),
            into: Destination::Revision,
            summary: format!("Session {id}"),
            description: String::new(),
            parent: None,
            changes,
        };
        self.hub.commit(&commit, &Unwatched).await?;
        *ready = true;
        self.waits.lock().await.remove(session);
        tracing::debug!(%session, repo = commit.repo.id, "a trace was uploaded");
        Ok(())
    }

    async fn repo(&self) -> Result<Repo, HubError> {
        let account = self.account.get_or_try_init(|| self.hub.whoami()).await?;
        let id = self.template.replace("{hf_user}", account);
        Repo::parse(RepoKind::Dataset, &id).map_err(HubError::BadName)
    }

    /// Where traces go, and who may see them there.
    ///
    /// # Errors
    /// If the Hub cannot be asked.
    pub async fn shared(&self) -> Result<Shared, HubError> {
        let repo = self.repo().await?;
        let visibility = self.hub.visibility(&repo).await?;
        Ok(Shared { page: self.hub.page(&repo), repo: repo.id, visibility })
    }

    /// Sets who may see the traces; makes the dataset if there is none.
    ///
    /// # Errors
    /// If the Hub cannot be asked, or refuses.
    pub async fn show_to(&self, visibility: Visibility) -> Result<Shared, HubError> {
        let repo = self.repo().await?;
        if self.hub.create(&private(&repo)).await? == Created::Before || visibility == Visibility::Public {
            self.hub.set_visibility(&repo, visibility).await?;
        }
        Ok(Shared { page: self.hub.page(&repo), repo: repo.id, visibility: Some(visibility) })
    }
}

/// The dataset as it is made.
fn private(repo: &Repo) -> NewRepo {
    NewRepo { repo: repo.clone(), visibility: Visibility::Private, sdk: None }
}

/// Names where traces go, in letters that tell nothing of the token.
fn destination(endpoint: &str, template: &str, token: &Secret) -> String {
    let digest = Sha256::digest(format!("{endpoint}\0{template}\0{}", token.reveal()));
    hex::encode(&digest[..8])
}

/// `{hf_user}/name`: a dataset of the account itself, never of an organisation.
fn is_template(template: &str) -> bool {
    let plain = template.replace("{hf_user}", "user");
    let fits = |part: &str| {
        !part.is_empty()
            && part.len() <= 96
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && !part.starts_with(['.', '-'])
    };
    template.starts_with("{hf_user}/")
        && plain.split_once('/').is_some_and(|(owner, name)| fits(owner) && fits(name))
}

fn day(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|moment| moment.strftime("%Y-%m-%d").to_string())
        .unwrap_or_else(|_| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_account_can_be_named_in_a_template() {
        for (template, fits) in [
            (USUAL_REPO, true),
            ("{hf_user}/{hf_user}-traces", true),
            ("acme/traces", false),
            ("{hf_user}", false),
            ("{user}/traces", false),
            ("{hf_user}/a/b", false),
            ("{hf_user}/../x", false),
            ("/traces", false),
            ("a b/c", false),
        ] {
            assert_eq!(is_template(template), fits, "{template}");
        }
    }
}
