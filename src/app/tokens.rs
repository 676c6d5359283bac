//! People's own Hub tokens: those that the operator set up, and those that people gave.
//!
//! Given ones are in one file of the data folder that only its owner can read, replaced as a whole. Kept only after
//! the Hub said whose they are, and only if their shape is one that every redaction knows. Never shows or logs
//! one. Start at [`PersonTokens`].

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::clients::hub::{Hub, HubError, Patience};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, HubAccount};
use crate::protocol::PersonId;
use crate::secret::Secret;
use crate::slack::tokens::{Given, Held, Removed, TokenDesk};
use crate::text::is_hub_token;
use crate::tools::hub::{Accounts, Unreadable};

/// The file, in the data folder.
const FILE: &str = "hub-tokens.json";

/// How long the Hub may take to say whose token it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tokens of people.
pub struct PersonTokens {
    file: PathBuf,
    hub: Hub,
    set_up: BTreeMap<String, Secret>,
    bot: Option<Secret>,
    whose: HubAccount,
    clock: Clock,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
}

/// The file's content. It is the one place where a token is written down.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    people: BTreeMap<String, Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    token: String,
    account: String,
    since: Timestamp,
}

impl PersonTokens {
    /// The tokens in this data folder, and those of the configuration.
    ///
    /// # Errors
    /// Only if TLS cannot be set up on this machine.
    pub fn new(config: &Config, data_dir: &Path, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self {
            file: data_dir.join(FILE),
            // A client of its own: it keeps no answers on disk.
            hub: asked(config)?,
            set_up: config.hub.tokens.clone(),
            bot: config.models.huggingface.api_key.clone(),
            whose: config.hub.account,
            clock,
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// All that are known, to be kept out of what is shown.
    pub async fn all(&self) -> Vec<Secret> {
        let kept = self.kept().await.unwrap_or_default();
        let given = kept.people.values().map(|entry| Secret::new(&entry.token));
        self.set_up.values().cloned().chain(given).collect()
    }

    /// Read anew each time: another process may have changed it, and it is small.
    async fn kept(&self) -> io::Result<Kept> {
        let file = self.file.clone();
        let read = tokio::task::spawn_blocking(move || match std::fs::read(&file) {
            // The error of the reader would quote what it could not read.
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| io::Error::other("it is damaged")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(error),
        });
        let read = read.await.map_err(io::Error::other)?;
        if let Err(error) = &read {
            tracing::error!(%error, file = %self.file.display(), "people's Hub tokens cannot be read");
        }
        read
    }

    async fn change(&self, change: impl FnOnce(&mut Kept) -> bool) -> io::Result<bool> {
        let _one = self.changing.lock().await;
        let mut kept = self.kept().await?;
        if !change(&mut kept) {
            return Ok(false);
        }
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || replace(&file, &kept)).await;
        let written = written.map_err(io::Error::other)?;
        if let Err(error) = &written {
            tracing::error!(%error, file = %self.file.display(), "people's Hub tokens cannot be written");
        }
        written.map(|()| true)
    }

    /// What this person has without a token that they gave.
    fn otherwise(&self, person: &PersonId) -> Held {
        match self.whose {
            HubAccount::Bot if self.bot.is_some() => Held::Bots,
            HubAccount::Bot => Held::Nobodys,
            _ if self.set_up.contains_key(&person.0) => Held::SetUp,
            HubAccount::PersonOrBot if self.bot.is_some() => Held::Bots,
            HubAccount::PersonOrBot | HubAccount::Person => Held::Nobodys,
        }
    }
}

/// Writes beside the file and moves it there: nobody reads half of it, and a crash leaves the old one.
fn replace(file: &Path, kept: &Kept) -> io::Result<()> {
    let beside = file.with_extension(format!("new-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = (|| {
        let mut opened = options.open(&beside)?;
        opened.write_all(&serde_json::to_vec(kept).map_err(io::Error::other)?)?;
        opened.sync_all()?;
        std::fs::rename(&beside, file)?;
        #[cfg(unix)]
        if let Some(folder) = file.parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    })();
    if written.is_err() {
        std::fs::remove_file(&beside).ok();
    }
    written
}

#[async_trait]
impl Accounts for PersonTokens {
    async fn token(&self, person: &PersonId) -> Result<Option<Secret>, Unreadable> {
        let kept = self.kept().await.map_err(|_| Unreadable)?;
        let given = kept.people.get(&person.0).map(|entry| Secret::new(&entry.token));
        Ok(given.or_else(|| self.set_up.get(&person.0).cloned()))
    }
}

#[async_trait]
impl TokenDesk for PersonTokens {
    async fn give(&self, person: &PersonId, token: Secret) -> Given {
        if self.whose == HubAccount::Bot {
            return Given::NotWanted;
        }
        if !is_hub_token(token.reveal()) {
            return Given::Shapeless;
        }
        let hub = self.hub.with_token(Some(token.clone()));
        let account = match tokio::time::timeout(PATIENCE, hub.account()).await {
            Ok(Ok(account)) => account,
            Ok(Err(HubError::Unauthorized { .. } | HubError::Forbidden { .. })) => return Given::Refused,
            Ok(Err(error)) => return Given::Unsure(error.to_string()),
            Err(_) => return Given::Unsure("no answer in time".to_owned()),
        };
        let entry = Entry {
            token: token.reveal().to_owned(),
            account: account.name.clone(),
            since: self.clock.now(),
        };
        let kept = self.change(|kept| {
            kept.people.insert(person.0.clone(), entry);
            true
        });
        match kept.await {
            Ok(_) => {
                tracing::info!(person = %person.0, account = account.name, "a person's own Hub token is kept");
                Given::Kept { role: account.role().map(str::to_owned), account: account.name }
            }
            Err(_) => Given::NotSaved,
        }
    }

    async fn held(&self, person: &PersonId) -> Held {
        match self.kept().await {
            Ok(_) if self.whose == HubAccount::Bot => self.otherwise(person),
            Ok(kept) => match kept.people.get(&person.0) {
                Some(entry) => Held::Own { account: entry.account.clone() },
                None => self.otherwise(person),
            },
            Err(_) => Held::Unknown,
        }
    }

    async fn remove(&self, person: &PersonId) -> Removed {
        match self.change(|kept| kept.people.remove(&person.0).is_some()).await {
            Ok(true) => Removed::Gone(self.otherwise(person)),
            Ok(false) => Removed::Nothing(self.otherwise(person)),
            Err(_) => Removed::NotSaved,
        }
    }
}

/// Whose account somebody's requests are made with, as the Hub says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// This one's.
    Account {
        /// Its name.
        name: String,
        /// What the token may do, if the Hub says.
        role: Option<String>,
    },
    /// There is no token.
    Nobodys,
    /// There is one, and the Hub does not take it or could not say; why.
    Unsure(String),
}

impl PersonTokens {
    /// Whose account this person's requests are made with. Asks the Hub.
    pub async fn whose(&self, person: &PersonId) -> Whose {
        let own = match self.whose {
            HubAccount::Bot => None,
            HubAccount::Person | HubAccount::PersonOrBot => match self.token(person).await {
                Ok(own) => own,
                Err(error) => return Whose::Unsure(error.to_string()),
            },
        };
        let bot = self.bot.clone().filter(|_| self.whose != HubAccount::Person);
        let Some(token) = own.or(bot) else { return Whose::Nobodys };
        match self.hub.with_token(Some(token)).account().await {
            Ok(account) => Whose::Account { role: account.role().map(str::to_owned), name: account.name },
            Err(error) => Whose::Unsure(error.to_string()),
        }
    }
}

/// The Hub for a question that somebody waits for: two tries, no long waits.
fn asked(config: &Config) -> anyhow::Result<Hub> {
    let patience = Patience { tries: 2, longest: Duration::from_secs(5), ..Patience::default() };
    Ok(Hub::new(&config.services.hf_endpoint, None)?.with_patience(patience))
}

/// A configured token and whether it works.
pub struct Checked {
    /// Where it is configured.
    pub setting: String,
    /// Whose account it is and what it may do, or why that is not known.
    pub works: Result<String, String>,
}

/// Asks the Hub about every token of the configuration.
///
/// # Errors
/// Only if TLS cannot be set up on this machine.
pub async fn check(config: &Config) -> anyhow::Result<Vec<Checked>> {
    let hub = asked(config)?;
    let bot = config.models.huggingface.api_key.iter().map(|token| ("HF_TOKEN".to_owned(), token));
    let people = config.hub.tokens.iter().map(|(person, token)| (format!("hub.tokens.{person}"), token));
    let mut checked = Vec::new();
    for (setting, token) in bot.chain(people) {
        let works = match hub.with_token(Some(token.clone())).account().await {
            Ok(account) => Ok(match account.role() {
                Some(role) => format!("{} ({role})", account.name),
                None => account.name,
            }),
            Err(error) => Err(error.to_string()),
        };
        checked.push(Checked { setting, works });
    }
    Ok(checked)
}

/// The tokens, for whoever needs to know them all.
pub(super) type Known = Arc<PersonTokens>;

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(folder: &Path, change: impl FnOnce(&mut Config)) -> PersonTokens {
        crate::clients::http::install_tls();
        let mut config = Config::default();
        // Nobody answers there.
        config.services.hf_endpoint = "http://127.0.0.1:9".to_owned();
        change(&mut config);
        PersonTokens::new(&config, folder, Clock::manual(Timestamp(1))).unwrap()
    }

    fn person(id: &str) -> PersonId {
        PersonId(id.to_owned())
    }

    fn entry(token: &str) -> Entry {
        Entry { token: token.to_owned(), account: "alice".to_owned(), since: Timestamp(1) }
    }

    #[tokio::test]
    async fn a_given_token_comes_before_one_that_was_set_up_and_is_its_persons_alone() {
        let folder = tempfile::tempdir().unwrap();
        let ours = tokens(folder.path(), |config| {
            config.hub.tokens.insert("U1".to_owned(), Secret::new("of-config"));
        });
        assert_eq!(ours.token(&person("U1")).await, Ok(Some(Secret::new("of-config"))));
        assert_eq!(ours.held(&person("U1")).await, Held::SetUp);
        ours.change(|kept| kept.people.insert("U1".to_owned(), entry("given")).is_none()).await.unwrap();
        assert_eq!(ours.token(&person("U1")).await, Ok(Some(Secret::new("given"))));
        assert_eq!(ours.held(&person("U1")).await, Held::Own { account: "alice".to_owned() });
        assert_eq!(
            (ours.token(&person("U2")).await, ours.held(&person("U2")).await),
            (Ok(None), Held::Nobodys)
        );
        assert_eq!(ours.all().await, [Secret::new("of-config"), Secret::new("given")]);
        assert_eq!(ours.remove(&person("U1")).await, Removed::Gone(Held::SetUp));
        assert_eq!(ours.remove(&person("U1")).await, Removed::Nothing(Held::SetUp));
    }

    #[tokio::test]
    async fn the_file_is_its_owners_alone_and_a_damaged_one_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let ours = tokens(folder.path(), |_| {});
        ours.change(|kept| kept.people.insert("U1".to_owned(), entry("given")).is_none()).await.unwrap();
        let file = folder.path().join(FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        std::fs::write(&file, "{ damaged").unwrap();
        assert_eq!(ours.held(&person("U1")).await, Held::Unknown);
        assert_eq!(ours.token(&person("U1")).await, Err(Unreadable));
        assert_eq!(ours.remove(&person("U1")).await, Removed::NotSaved);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{ damaged");
    }

    #[tokio::test]
    async fn what_is_no_token_is_not_sent_and_what_cannot_be_checked_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let good = Secret::new(&format!("hf_{}", "a".repeat(34)));
        let ours = tokens(folder.path(), |_| {});
        for odd in ["", "hf_", "password", "hf_abc-def", "xoxb-123456789012"] {
            assert_eq!(ours.give(&person("U1"), Secret::new(odd)).await, Given::Shapeless, "{odd}");
        }
        let bots = tokens(folder.path(), |config| config.hub.account = HubAccount::Bot);
        assert_eq!(bots.give(&person("U1"), good).await, Given::NotWanted);
        assert!(!folder.path().join(FILE).exists());
    }
}
