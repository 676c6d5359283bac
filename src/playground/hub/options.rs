//! How a small Hub starts: who has an account, in which organisations, and where its limits are.
//!
//! Owns [`HubOptions`]. Never makes state itself; that is `state`'s. Start at [`HubOptions::new`].

use crate::clock::Clock;

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRole {
    /// Look.
    Read,
    /// Look and change.
    Write,
}

impl TokenRole {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What a member may do in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrgRole {
    /// Everything.
    Admin,
    /// Change every repo.
    Write,
    /// See private repos.
    Read,
}

impl OrgRole {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Write => "write",
            Self::Read => "read",
        }
    }
}

/// A person to seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSeed {
    /// User name.
    pub name: String,
    /// Full name.
    pub fullname: String,
    /// Tokens, and what each may do.
    pub tokens: Vec<(String, TokenRole)>,
    /// Whether a payment method is on file.
    pub can_pay: bool,
}

/// An organisation to seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgSeed {
    /// Name.
    pub name: String,
    /// Full name.
    pub fullname: String,
    /// Members by user name, and their roles.
    pub members: Vec<(String, OrgRole)>,
    /// Whether a payment method is on file.
    pub can_pay: bool,
}

/// Where this Hub's limits are. Small ones make tests of paging and of parts cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most repos, collections or papers on one page of a list.
    pub list_page: usize,
    /// Most entries on one page of a tree.
    pub tree_page: usize,
    /// Most discussions on one page.
    pub discussions_page: usize,
    /// Bytes from which a file is a large file, whatever it is called.
    pub large_from: u64,
    /// Largest large file taken in one part, in bytes; larger ones go up in parts of this size.
    pub part: u64,
    /// Largest request body, in bytes.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            list_page: 1000,
            tree_page: 1000,
            discussions_page: 50,
            large_from: 10 * 1024 * 1024,
            part: 64 * 1024 * 1024,
            body: 512 * 1024 * 1024,
        }
    }
}

/// How a small Hub starts.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// Port of the Hub on 127.0.0.1; 0 for any free one. The services beside it take free ones.
    pub port: u16,
    /// Where its time comes from.
    pub clock: Clock,
    /// People.
    pub accounts: Vec<AccountSeed>,
    /// Organisations.
    pub orgs: Vec<OrgSeed>,
    /// Limits.
    pub limits: Limits,
}

impl HubOptions {
    /// Alice, who administers `acme`; Bob, who may look at what it keeps private; and Carol, a
    /// stranger to both. Their tokens are always the same: [`HubOptions::token_of`].
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let account = |name: &str, fullname: &str, can_pay| AccountSeed {
            name: name.to_owned(),
            fullname: fullname.to_owned(),
            tokens: vec![
                (Self::token_of(name), TokenRole::Write),
                (Self::read_token_of(name), TokenRole::Read),
            ],
            can_pay,
        };
        Self {
            port: 0,
            clock,
            accounts: vec![
                account("alice", "Alice Tan", true),
                account("bob", "Bob Lindqvist", true),
                account("carol", "Carol Mbeki", false),
            ],
            orgs: vec![OrgSeed {
                name: "acme".to_owned(),
                fullname: "Acme Research".to_owned(),
                members: vec![("alice".to_owned(), OrgRole::Admin), ("bob".to_owned(), OrgRole::Read)],
                can_pay: true,
            }],
            limits: Limits::default(),
        }
    }

    /// The token with which `name` may change things.
    #[must_use]
    pub fn token_of(name: &str) -> String {
        format!("hf_{name:W<34}")
    }

    /// The token with which `name` may only look.
    #[must_use]
    pub fn read_token_of(name: &str) -> String {
        format!("hf_{name:R<34}")
    }
}
