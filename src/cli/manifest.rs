//! `manifest`: the Slack app that this build needs, ready to paste.

use super::args::{Delivery, ManifestArgs, Notation};
use super::exit::Exit;
use super::print_out;
use crate::slack::manifest::{self, to_yaml};

/// Prints it.
///
/// # Errors
/// Standard output cannot be written to.
pub fn run(what: &ManifestArgs) -> anyhow::Result<Exit> {
    let delivery = match (what.mode, &what.url) {
        (Delivery::Socket, _) => manifest::Delivery::Socket,
        (Delivery::Http, Some(url)) if url.starts_with("https://") => {
            manifest::Delivery::Http { base_url: url.trim_end_matches('/').to_owned() }
        }
        (Delivery::Http, _) => {
            eprintln!("ml-intern: --mode http needs --url with an address that begins with https://");
            return Ok(Exit::Usage);
        }
    };
    let manifest = manifest::manifest("ml-intern", &delivery);
    match what.format {
        Notation::Yaml => print_out(&to_yaml(&manifest))?,
        Notation::Json => print_out(&format!("{}\n", serde_json::to_string_pretty(&manifest)?))?,
    }
    Ok(Exit::Finished)
}
