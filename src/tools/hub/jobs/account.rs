//! Who pays for a job: the account of the token, or an organisation that it belongs to. Pure.

use crate::clients::hub::Account;

/// The namespace that pays: the one wanted, if the account may use it; else its own.
///
/// # Errors
/// Says which ones there are.
pub(super) fn pays(account: &Account, wanted: Option<&str>) -> Result<String, String> {
    let names = account.namespaces();
    let Some(wanted) = wanted else { return Ok(account.name.clone()) };
    match names.iter().find(|name| name.eq_ignore_ascii_case(wanted)) {
        Some(name) => Ok((*name).to_owned()),
        None => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            Err(format!(
                "`namespace`: the account `{}` does not belong to `{wanted}`; it may use {}",
                account.name,
                names.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_account_pays_itself_or_for_its_organisations() {
        let account: Account =
            serde_json::from_value(json!({ "name": "alice", "orgs": [{ "name": "acme" }] })).unwrap();
        assert_eq!(pays(&account, None), Ok("alice".to_owned()));
        assert_eq!(pays(&account, Some("ACME")), Ok("acme".to_owned()));
        assert_eq!(
            pays(&account, Some("other")).unwrap_err(),
            "`namespace`: the account `alice` does not belong to `other`; it may use `alice`, `acme`"
        );
    }
}
