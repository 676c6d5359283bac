//! The composition root: configuration in, a running program out.
//!
//! The only room that names the concrete store, model, tools and presenters. Decides nothing about a
//! session. [`App::open`] builds what every front door shares; [`App::terminal`] and `serve` put
//! front doors on it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::agent::budget::MoneyRules;
use crate::agent::roles::{Ceiling, RoleRule};
use crate::agent::{Agent, Rules, Toolbox};
use crate::clock::Clock;
use crate::config::Config;
use crate::messaging::{AutoNotices, Gateway};
use crate::model::{Delivery, Providers, Retrying, Schedule};
use crate::protocol::{Approvers, Door, PersonId, Role};
use crate::random::Random;
use crate::runtime::{Intake, LedgerPurse, Pace, Parts, Places, Presenters, Worker};
use crate::secret::Secret;
use crate::store::Store;
use crate::store::embedded::Embedded;
use crate::supervise::{Boards, Pace as WatchPace};
use crate::tools::Supplies;
use crate::tools::hub::HubAccess;
use crate::tools::hub::sandbox::Sandboxes;

mod accounts;
mod approvals;
mod health;
mod notices;
mod outgoing;
mod places;
mod redacted;
mod registry;
pub mod retention;
mod sandboxes;
pub mod serve;
pub mod tokens;
pub mod traces;
mod watching;

use outgoing::OutgoingNotices;
pub use places::{SessionFolders, WorkingDirectory};
pub use retention::Retention;
pub use serve::Roles;
pub use traces::Traces;

/// What an [`App`] is made from.
pub struct AppParts {
    /// The configuration.
    pub config: Config,
    /// Where data lives; made if it does not exist.
    pub data_dir: PathBuf,
    /// The environment, for what commands may see of it.
    pub environment: BTreeMap<String, String>,
    /// Everything secret in the configuration, to be kept out of outputs.
    pub secrets: Vec<Secret>,
    /// Time.
    pub clock: Clock,
    /// Ids and jitter.
    pub random: Random,
    /// How text is wanted from models.
    pub delivery: Delivery,
}

/// What every front door shares.
pub struct App {
    config: Config,
    data_dir: PathBuf,
    clock: Clock,
    random: Random,
    embedded: Arc<Embedded>,
    agent: Arc<Agent>,
    gateway: Arc<Gateway>,
    notices: Arc<AutoNotices>,
    outgoing: Arc<OutgoingNotices>,
    secrets: Arc<[Secret]>,
    tokens: tokens::Known,
    traces: Option<Arc<Traces>>,
    hub: HubAccess,
    boards: Boards,
    sandboxes: Option<Arc<Sandboxes>>,
}

impl App {
    /// Opens the store and builds model, tools and messaging.
    ///
    /// # Errors
    /// When the data folder or the store cannot be used, or a client cannot be built.
    pub fn open(parts: AppParts) -> anyhow::Result<Self> {
        let AppParts { config, data_dir, environment, secrets, clock, random, delivery } = parts;
        let embedded = Embedded::open(&data_dir, clock.clone())
            .with_context(|| format!("the store in {} cannot be opened", data_dir.display()))?;
        let hidden: Arc<[Secret]> = secrets.clone().into();
        let traces = Traces::configured(traces::Supplies {
            config: &config,
            data_dir: &data_dir,
            store: embedded.clone(),
            secrets: hidden.clone(),
            clock: clock.clone(),
            random: random.clone(),
        })?;
        let outgoing = Arc::new(OutgoingNotices::new(&config.slack.api_url)?);
        let gateway = Gateway::new(&config.messaging, embedded.clone(), clock.clone(), outgoing.clone())
            .keeping_secret(secrets.clone());
        let gateway = Arc::new(gateway);
        let http = crate::clients::http::client(None)?;
        let providers = Providers::new(&config.models, http, clock.clone())?.priced(&config.budgets.prices);
        let book = Arc::new(registry::Registry(embedded.clone()));
        let times = (clock.clone(), random.clone());
        let (kit, tokens) = accounts::kit(&config, &data_dir, secrets.clone(), times, book)?;
        let (hub, sandboxes) = (kit.access.clone(), kit.sandboxes.clone());
        let tools = crate::tools::builtin(Supplies {
            config: config.tools.clone(),
            environment,
            secrets,
            gateway: Some(gateway.clone()),
            hub: Some(kit),
        });
        let purse = LedgerPurse::new(embedded.clone(), config.budgets.clone(), clock.clone())?;
        let agent = Agent {
            model: Arc::new(Retrying::new(providers, Schedule::default(), random.clone())),
            toolbox: Toolbox::new(tools),
            purse: Arc::new(purse),
            rules: rules(&config, delivery),
            clock: clock.clone(),
            random: random.clone(),
        };
        approvals::look_for_idle_rules(&agent.rules.approvals, &agent.toolbox);
        let kinds = config.messaging.auto_event_types.clone();
        let notices = Arc::new(AutoNotices::new(gateway.clone(), kinds, config.model_name.clone()));
        Ok(Self {
            config,
            data_dir,
            clock,
            random,
            embedded,
            agent: Arc::new(agent),
            gateway,
            notices,
            outgoing,
            secrets: hidden,
            tokens,
            traces,
            hub,
            boards: Boards::default(),
            sandboxes,
        })
    }

    /// The configuration it was built from.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Ids and jitter.
    #[must_use]
    pub fn random(&self) -> &Random {
        &self.random
    }

    /// Where data lives.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The way in.
    #[must_use]
    pub fn intake(&self) -> Intake {
        let people = self.config.approvals.approvers.iter().cloned().map(PersonId).collect();
        let groups = self.config.approvals.approver_groups.clone();
        Intake::new(self.store()).trusting(Approvers::Listed { people, groups })
    }

    /// What must not leave in any text.
    #[must_use]
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Whose account requests of this person are made with on the Hub.
    pub async fn hub_account(&self, person: &PersonId) -> tokens::Whose {
        self.tokens.whose(person).await
    }

    /// The sharing of traces, if people opted in to it.
    #[must_use]
    pub fn traces(&self) -> Option<&Arc<Traces>> {
        self.traces.as_ref()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        self.embedded.clone()
    }

    /// The agent, for what a front door shows of it (its tools, its model).
    #[must_use]
    pub fn agent(&self) -> &Arc<Agent> {
        &self.agent
    }

    /// A worker for terminal sessions that act in `workspace`. `suspend` lets go of a step in hand.
    #[must_use]
    pub fn terminal(
        &self,
        presenters: Arc<dyn Presenters>,
        workspace: PathBuf,
        suspend: CancellationToken,
    ) -> Worker {
        self.worker(Door::Terminal, presenters, Arc::new(WorkingDirectory(workspace)), suspend)
    }

    /// A worker for the sessions behind one door.
    #[must_use]
    pub fn worker(
        &self,
        door: Door,
        presenters: Arc<dyn Presenters>,
        places: Arc<dyn Places>,
        suspend: CancellationToken,
    ) -> Worker {
        let redacted: Arc<dyn Presenters> = Arc::new(redacted::Redacted {
            inner: presenters,
            secrets: self.secrets.clone(),
            people: Some(self.tokens.clone()),
        });
        let shared = match self.traces.clone() {
            Some(traces) => Arc::new(traces::Sharing { inner: redacted, traces }),
            None => redacted,
        };
        let presenters: Arc<dyn Presenters> =
            Arc::new(notices::Noticed { inner: shared, notices: self.notices.clone(), store: self.store() });
        Worker::new(Parts {
            store: self.store(),
            agent: self.agent.clone(),
            presenters: HashMap::from([(door, presenters)]),
            places,
            pace: Pace { at_work: self.config.server.max_sessions_at_work, ..Pace::default() },
            suspend,
        })
    }

    /// Delivers what times have come for and what notices are due, until `stop` fires.
    pub async fn tick(&self, stop: CancellationToken) {
        let timers = async {
            loop {
                if let Err(error) = self.fire_due().await {
                    tracing::error!(%error, "due operations could not be delivered");
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_millis(500)) => {}
                }
            }
        };
        let retention = self.retention();
        let sharing = async {
            if let Some(traces) = &self.traces {
                traces.run(stop.clone()).await;
            }
        };
        let watching = self.watch_jobs(stop.clone(), WatchPace::looking_every(self.config.hub.job_look_s));
        let sandboxes = self.sweep_sandboxes(&stop);
        let gateway = self.gateway.run(stop.clone());
        tokio::join!(timers, gateway, retention.run(stop.clone()), sharing, watching, sandboxes);
    }

    /// What deletes sessions that nobody has used for long, and forgets old records.
    #[must_use]
    pub fn retention(&self) -> Retention {
        Retention {
            store: self.store(),
            folders: SessionFolders::of(&self.data_dir),
            clock: self.clock.clone(),
            days: self.config.store.retention_days,
        }
    }

    /// Delivers what times have come for, once.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fire_due(&self) -> crate::store::Result<()> {
        use crate::store::{Inbox, Signals};
        for key in self.embedded.fire_due(self.clock.now()).await? {
            self.embedded.wake(&key);
        }
        Ok(())
    }

    /// Sends the notices that are due now, and uploads the traces that are, for runs that end soon.
    pub async fn flush_notices(&self) {
        if let Err(error) = self.gateway.drain().await {
            tracing::error!(%error, "notices could not be sent");
        }
        if let Some(traces) = &self.traces {
            traces.upload_due().await;
        }
    }

    /// Writes everything out and closes the store.
    pub async fn close(&self) {
        self.embedded.close().await;
    }
}

fn rules(config: &Config, delivery: Delivery) -> Rules {
    Rules {
        model: config.model_name.clone(),
        effort: config.reasoning_effort.map(|effort| effort.as_str().to_owned()),
        roles: Role::ALL.into_iter().map(|role| (role, role_rule(config, role))).collect(),
        max_iterations: u32::try_from(config.max_iterations).ok(),
        yolo: config.yolo_mode,
        delivery,
        approvals: approvals::approvals(&config.approvals),
        memory: crate::agent::MemoryRules {
            compact_at_percent: u64::from(config.memory.compact_at_percent),
            keep_percent: u64::from(config.memory.keep_percent),
            longest_item: config.memory.longest_item_tokens,
        },
        money: MoneyRules {
            warn_at: config.budgets.warn_at_usd.0,
            yolo_cap: config.budgets.yolo_cap_usd.0,
            session_limit: config.budgets.session_usd.map(|limit| limit.0),
        },
    }
}

fn role_rule(config: &Config, role: Role) -> RoleRule {
    let (model, effort, ceiling) = config.roles.of(role);
    RoleRule {
        model: model.map(str::to_owned),
        effort: effort.map(|effort| effort.as_str().to_owned()),
        ceiling: Ceiling {
            input: ceiling.max_input_usd.map(|usd| usd.0),
            output: ceiling.max_output_usd.map(|usd| usd.0),
        },
    }
}
