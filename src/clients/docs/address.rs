//! Which addresses are documentation, and where they are asked for.
//!
//! The hosts come from the configuration. What people and models write for the public Hub or for Gradio's
//! site means the configured one, so that a mirror answers for it. Pure.

use reqwest::Url;

use crate::config::ServicesConfig;

/// What the public Hub is called.
const PUBLIC_HUB: [&str; 3] = ["huggingface.co", "www.huggingface.co", "hf.co"];
/// What Gradio's public site is called.
const PUBLIC_GRADIO: [&str; 2] = ["gradio.app", "www.gradio.app"];

/// The hosts of documentation.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    hub: Url,
    hub_text: String,
    gradio: Url,
    gradio_text: String,
    gradio_search: Url,
}

/// A page of documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Where it is asked for.
    pub url: String,
    /// The heading that was named behind a `#`.
    pub anchor: Option<String>,
}

/// Why an address is none of documentation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It cannot be read.
    #[error("it is no address; write one like https://huggingface.co/docs/trl/sft_trainer")]
    Unreadable,
    /// It is on another host.
    #[error("{host} is no host of documentation; only pages of {allowed} can be read")]
    Elsewhere {
        /// Which host.
        host: String,
        /// Those that can be read.
        allowed: String,
    },
}

impl Hosts {
    pub(super) fn new(services: &ServicesConfig) -> anyhow::Result<Self> {
        let read = |name: &str, text: &str| {
            let url = Url::parse(text.trim_end_matches('/'));
            let url = url.map_err(|error| anyhow::anyhow!("services.{name} is no address: {error}"))?;
            anyhow::ensure!(
                matches!(url.scheme(), "http" | "https") && url.host_str().is_some(),
                "services.{name} must begin with https:// (or http://) and name a host"
            );
            Ok(url)
        };
        Ok(Self {
            hub: read("hf_endpoint", &services.hf_endpoint)?,
            hub_text: services.hf_endpoint.trim_end_matches('/').to_owned(),
            gradio: read("gradio_url", &services.gradio_url)?,
            gradio_text: services.gradio_url.trim_end_matches('/').to_owned(),
            gradio_search: read(
                "gradio_search_url",
                &format!("{}/api/prompt", services.gradio_search_url.trim_end_matches('/')),
            )?,
        })
    }

    pub(super) fn hub_address(&self) -> &str {
        &self.hub_text
    }

    pub(super) fn gradio_list(&self) -> String {
        format!("{}/llms.txt", self.gradio_text)
    }

    pub(super) fn gradio_search(&self) -> Url {
        self.gradio_search.clone()
    }

    /// Whether it is the Hub itself: the same scheme, host and port.
    pub(super) fn is_hub(&self, url: &Url) -> bool {
        url.origin() == self.hub.origin()
    }

    /// Whether it may be asked at all: one of the configured hosts.
    pub(super) fn are_ours(&self, url: &Url) -> bool {
        near(url, &self.hub) || near(url, &self.gradio)
    }

    pub(super) fn locate(&self, written: &str) -> Result<Address, BadAddress> {
        let written = written.trim();
        let absolute = match written {
            "" => return Err(BadAddress::Unreadable),
            path if path.starts_with("/docs/") || path.starts_with("/learn/") => {
                format!("{}{path}", self.hub_text)
            }
            other if other.contains("://") => other.to_owned(),
            other => format!("https://{other}"),
        };
        let url = Url::parse(&absolute).map_err(|_| BadAddress::Unreadable)?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"));
        let host = host.ok_or(BadAddress::Unreadable)?.to_owned();
        let public = url.port().is_none();
        // `userinfo@` is how an address looks like another one; it is never part of documentation's.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self.elsewhere(host));
        }
        let (base, path) = if near(&url, &self.hub) || public && PUBLIC_HUB.contains(&host.as_str()) {
            (&self.hub_text, markdown(&url))
        } else if public && PUBLIC_GRADIO.contains(&host.as_str()) || near(&url, &self.gradio) {
            (&self.gradio_text, url.path().to_owned())
        } else {
            return Err(self.elsewhere(host));
        };
        let inner = Url::parse(base).map(|base| base.path().trim_end_matches('/').to_owned());
        let inner = inner.unwrap_or_default();
        // An address that already has the mirror's folder in front keeps it once.
        let path = path.strip_prefix(&inner).filter(|_| !inner.is_empty()).unwrap_or(&path);
        let anchor = url.fragment().filter(|anchor| !anchor.is_empty()).map(str::to_owned);
        Ok(Address { url: format!("{base}{path}"), anchor })
    }

    fn elsewhere(&self, host: String) -> BadAddress {
        let name = |url: &Url| url.host_str().unwrap_or_default().to_owned();
        BadAddress::Elsewhere { host, allowed: format!("{} and {}", name(&self.hub), name(&self.gradio)) }
    }
}

/// Whether an address is on this host of ours, with or without `www.`; never in the open where ours is not.
fn near(url: &Url, ours: &Url) -> bool {
    fn bare(url: &Url) -> &str {
        let host = url.host_str().unwrap_or_default();
        host.strip_prefix("www.").unwrap_or(host)
    }
    let scheme = url.scheme() == ours.scheme() || url.scheme() == "https";
    scheme && bare(url) == bare(ours) && url.port_or_known_default() == ours.port_or_known_default()
}

/// The path of a page's Markdown: its own, with `.md` at the end unless it names a file already.
fn markdown(url: &Url) -> String {
    let path = url.path().trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    let known = [".md", ".mdx", ".txt", ".json", ".yaml", ".yml"];
    if path.is_empty() || known.iter().any(|end| last.ends_with(end)) {
        return path.to_owned();
    }
    let page = last.strip_suffix(".html").map_or(path, |_| &path[..path.len() - ".html".len()]);
    // The root of a library's documentation is its page `index`.
    let segments = page.trim_matches('/').split('/').count();
    if page.starts_with("/docs/") && segments == 2 {
        format!("{page}/index.md")
    } else {
        format!("{page}.md")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(change: impl FnOnce(&mut ServicesConfig)) -> Hosts {
        let mut services = ServicesConfig::default();
        change(&mut services);
        Hosts::new(&services).unwrap()
    }

    #[test]
    fn what_people_write_becomes_the_address_of_the_markdown() {
        let hosts = hosts(|_| {});
        let hub = "https://huggingface.co";
        for (written, url, anchor) in [
            ("https://huggingface.co/docs/trl/dpo_trainer", format!("{hub}/docs/trl/dpo_trainer.md"), None),
            (
                "https://huggingface.co/docs/trl/dpo_trainer.md",
                format!("{hub}/docs/trl/dpo_trainer.md"),
                None,
            ),
            ("https://huggingface.co/docs/trl/dpo_trainer/", format!("{hub}/docs/trl/dpo_trainer.md"), None),
            (
                "http://hf.co/docs/trl/main/en/sft_trainer?x=1#trl.SFTTrainer",
                format!("{hub}/docs/trl/main/en/sft_trainer.md"),
                Some("trl.SFTTrainer"),
            ),
            ("huggingface.co/docs/hub/repos#", format!("{hub}/docs/hub/repos.md"), None),
            (" /docs/trl/grpo_trainer ", format!("{hub}/docs/trl/grpo_trainer.md"), None),
            ("https://huggingface.co/docs/trl", format!("{hub}/docs/trl/index.md"), None),
            (
                "https://huggingface.co/docs/timm/quickstart.html",
                format!("{hub}/docs/timm/quickstart.md"),
                None,
            ),
            ("https://huggingface.co/learn/cookbook/index", format!("{hub}/learn/cookbook/index.md"), None),
            ("https://www.gradio.app/llms.txt", "https://gradio.app/llms.txt".to_owned(), None),
            ("https://gradio.app/guides/quickstart", "https://gradio.app/guides/quickstart".to_owned(), None),
        ] {
            let address = hosts.locate(written).unwrap();
            assert_eq!((address.url, address.anchor.as_deref()), (url, anchor), "{written}");
        }
    }

    #[test]
    fn other_hosts_are_refused_however_they_are_dressed_up() {
        let hosts = hosts(|_| {});
        for written in [
            "https://evil.example/docs/trl/index",
            "https://huggingface.co.evil.example/docs/trl",
            "https://huggingface.co@evil.example/docs/trl",
            "https://hf_x@huggingface.co/docs/trl",
            "https://huggingface.co:8443/docs/trl",
            "https://evil.example/https://huggingface.co/docs",
            "https://datasets-server.huggingface.co/rows",
            "http://127.0.0.1/docs/trl",
            "http://169.254.169.254/latest/meta-data",
            "//evil.example/docs",
            "evil.example/docs/trl",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "",
            "   ",
        ] {
            assert!(hosts.locate(written).is_err(), "{written}");
        }
        let told = hosts.locate("https://evil.example/x").unwrap_err().to_string();
        assert!(told.contains("evil.example") && told.contains("huggingface.co and gradio.app"), "{told}");
    }

    #[test]
    fn a_mirror_answers_for_the_public_hub() {
        let hosts = hosts(|services| services.hf_endpoint = "http://127.0.0.1:9000/mirror/".to_owned());
        for written in [
            "https://huggingface.co/docs/trl/index",
            "http://127.0.0.1:9000/mirror/docs/trl/index",
            "/docs/trl/index",
        ] {
            assert_eq!(hosts.locate(written).unwrap().url, "http://127.0.0.1:9000/mirror/docs/trl/index.md");
        }
        assert!(
            hosts.locate("http://127.0.0.1:9001/docs/trl/index").is_err(),
            "another port is another host"
        );
    }

    #[test]
    fn redirects_stay_among_our_hosts_and_the_token_with_the_hub() {
        let hosts = hosts(|_| {});
        let url = |text: &str| Url::parse(text).unwrap();
        for (target, ours, hub) in [
            ("https://huggingface.co/docs/x", true, true),
            ("https://www.gradio.app/llms.txt", true, false),
            ("https://www.huggingface.co/docs/x", true, false),
            ("http://huggingface.co/docs/x", false, false),
            ("https://cdn.huggingface.co/docs/x", false, false),
            ("https://evil.example/", false, false),
        ] {
            assert_eq!((hosts.are_ours(&url(target)), hosts.is_hub(&url(target))), (ours, hub), "{target}");
        }
        let bad = ServicesConfig { hf_endpoint: "huggingface.co".to_owned(), ..ServicesConfig::default() };
        assert!(Hosts::new(&bad).is_err());
    }
}
