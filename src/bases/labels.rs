//! What a base says of itself: the `com.docker.dhi.*` labels of its config, and whether its layers
//! are the ones that were labelled.
//!
//! Labels are read, never trusted: a child inherits them whatever it adds, which is what the chain
//! id is for. An image without them is no Docker Hardened Image, and nothing is concluded from that.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use crate::image::STAGE_LABEL;

const PREFIX: &str = "com.docker.dhi.";
/// How many days before its end of life a base is warned about.
const WARN_DAYS: i32 = 90;
/// Longer than any value that DHI writes.
const MAX_VALUE: usize = 200;

/// The labels of a Docker Hardened Image, and hardpan's own; empty ones count as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declared {
    /// `dhi/python`.
    pub name: Option<String>,
    /// `runtime` or `dev`; SDKs say `runtime`.
    pub variant: Option<String>,
    /// `compat`, `sfw`.
    pub flavor: Option<String>,
    /// `debian-13`, `alpine-3.24`.
    pub distro: Option<String>,
    /// The most specific tag: `3.13.13-debian13-dev`.
    pub version: Option<String>,
    /// The shells that it has.
    pub shell: Option<String>,
    /// The package manager that it has.
    pub package_manager: Option<String>,
    /// The last day of its support, `2029-10-31`.
    pub end_of_life: Option<String>,
    /// The chain id of the base's layers.
    pub chain_id: Option<String>,
    /// `image/python/debian-13/3.13`.
    pub definition: Option<String>,
    /// `app/stage`, if hardpan handed a stage out as this image.
    pub stage: Option<String>,
}

impl Declared {
    /// Reads the labels of an image config.
    pub fn read(labels: &BTreeMap<String, String>) -> Self {
        let text = |name: &str| {
            let value = labels.get(name)?.trim();
            // They end up in messages: what moves a terminal's cursor, or fills it, does not.
            let printable = value.chars().filter(|letter| !letter.is_control());
            let value: String = printable.take(MAX_VALUE).collect();
            (!value.is_empty()).then_some(value)
        };
        let label = |name: &str| text(&format!("{PREFIX}{name}"));
        Self {
            name: label("name"),
            variant: label("variant"),
            flavor: label("flavor"),
            distro: label("distro"),
            version: label("version"),
            shell: label("shell"),
            package_manager: label("package-manager"),
            end_of_life: label("date.end-of-life"),
            chain_id: label("chain-id"),
            definition: label("definition"),
            stage: text(STAGE_LABEL),
        }
    }

    /// Whether the image is, or stands on, a Docker Hardened Image.
    pub fn is_dhi(&self) -> bool {
        self.name.is_some()
    }

    /// The repository without its namespace: `python`.
    pub fn repository(&self) -> Option<&str> {
        self.name.as_deref().map(|name| name.rsplit('/').next().unwrap_or(name))
    }

    /// Whether the labels say that the image is for building.
    pub fn is_dev(&self) -> bool {
        let ends =
            |label: &Option<String>| label.as_deref().is_some_and(|label| label.ends_with("-dev"));
        self.variant.as_deref() == Some("dev")
            || ends(&self.version)
            || ends(&self.definition)
            || self.is_sdk()
    }

    /// What is to be said of its end of life; `None`: it says none, or it is far off.
    pub fn support(&self, today: Date) -> Option<Support<'_>> {
        let written = self.end_of_life.as_deref()?;
        let Ok(end) = written.parse::<Date>() else { return Some(Support::NoDate(written)) };
        // Dates have at most four digits of years, so that days fit.
        let days = today.until(end).map_or(i32::MAX, |span| span.get_days());
        match days {
            ..0 => Some(Support::Ended(end)),
            0..=WARN_DAYS => Some(Support::Ends(end, days)),
            _ => None,
        }
    }

    /// Whether the labels say that the image is an SDK of .NET.
    pub fn is_sdk(&self) -> bool {
        self.version.as_deref().is_some_and(is_sdk_tag)
    }
}

/// How the support of a base stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support<'a> {
    /// It has ended.
    Ended(Date),
    /// It ends soon, in so many days.
    Ends(Date, i32),
    /// What is written is no date.
    NoDate(&'a str),
}

/// Whether a tag, or a version label, is that of an SDK.
pub(super) fn is_sdk_tag(tag: &str) -> bool {
    tag.split('-').any(|word| word == "sdk")
}

/// How the layers of an image stand to the chain id that its labels declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// All layers are the base's: the image is as it was published.
    Whole,
    /// The first so many layers are the base's; others were put on top, the labels are inherited.
    Prefix(usize),
    /// None of them: rebuilt, flattened, or the labels were copied.
    Foreign,
}

/// Compares a declared chain id with the diff ids of an image, the lowest layer first.
pub fn compare_chain(declared: &str, diff_ids: &[String]) -> Chain {
    let mut chain = String::new();
    for (index, diff_id) in diff_ids.iter().enumerate() {
        chain = extend_chain(&chain, diff_id);
        if chain == declared {
            let layers = index + 1;
            return if layers == diff_ids.len() { Chain::Whole } else { Chain::Prefix(layers) };
        }
    }
    Chain::Foreign
}

/// The chain id of a layer on others, as OCI's image spec defines it.
fn extend_chain(chain: &str, diff_id: &str) -> String {
    if chain.is_empty() {
        return diff_id.to_owned();
    }
    let hash = Sha256::digest(format!("{chain} {diff_id}"));
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(labels: &[(&str, &str)]) -> Declared {
        let labels =
            labels.iter().map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned()));
        Declared::read(&labels.collect())
    }

    #[test]
    fn reads_the_labels_of_a_hardened_image() {
        let python = declared(&[
            ("name", "dhi/python"),
            ("variant", "runtime"),
            ("flavor", ""),
            ("distro", "debian-13"),
            ("version", "3.13.13-debian13"),
            ("shell", ""),
            ("package-manager", " "),
            ("date.end-of-life", "2029-10-31"),
            ("definition", "image/python/debian-13/3.13"),
        ]);
        assert!(python.is_dhi() && !python.is_dev() && !python.is_sdk());
        assert_eq!(python.repository(), Some("python"));
        assert_eq!((&python.shell, &python.package_manager, &python.flavor), (&None, &None, &None));
        assert_eq!(python.end_of_life.as_deref(), Some("2029-10-31"));
    }

    #[test]
    fn knows_what_is_for_building() {
        for (label, value) in [
            ("variant", "dev"),
            ("version", "26.7.0-alpine3.24-dev"),
            ("definition", "image/node/debian-13/24-dev"),
            ("version", "10.0.302-sdk-alpine3.24"),
            ("version", "10-sdk"),
        ] {
            assert!(declared(&[(label, value)]).is_dev(), "{label} {value}");
        }
        for (label, value) in
            [("variant", "runtime"), ("version", "1-devel"), ("version", "1-sdks")]
        {
            assert!(!declared(&[(label, value)]).is_dev(), "{label} {value}");
        }
    }

    #[test]
    fn concludes_nothing_from_other_images() {
        let labels = [("org.opencontainers.image.version", "24-dev")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let other = Declared::read(&labels.into());
        assert_eq!(other, Declared::default());
        assert!(!other.is_dhi() && !other.is_dev());
        assert_eq!(other.repository(), None);
    }

    #[test]
    fn keeps_labels_fit_for_messages() {
        let base = declared(&[("shell", "ba\u{1b}[31msh\n"), ("version", &"9".repeat(10_000))]);
        assert_eq!(base.shell.as_deref(), Some("ba[31msh"));
        assert_eq!(base.version.map(|version| version.len()), Some(MAX_VALUE));
    }

    #[test]
    fn compares_layers_with_the_chain_id() {
        // From Docker's guide for scanners, derived-image-base-discovery.
        let layers = [
            "sha256:e6658c58abb0371bc49b64fa0b02994d00bc7e2e37d71dd6f435084d8d7e9e17",
            "sha256:bb8c9f2e3ea36bc37b0282b477025f859e06c38c967fde95d8a2ad864204be61",
            "sha256:1111111111111111111111111111111111111111111111111111111111111111",
        ]
        .map(String::from);
        let chain = "sha256:61c42d0892b6700cdc76bb85bd17b95b08fc9df28198d9260f94828e67754d9d";
        assert_eq!(compare_chain(chain, &layers[..2]), Chain::Whole);
        assert_eq!(compare_chain(chain, &layers), Chain::Prefix(2));
        assert_eq!(compare_chain(&layers[0], &layers), Chain::Prefix(1));
        assert_eq!(compare_chain(&layers[0], &layers[..1]), Chain::Whole);
        assert_eq!(compare_chain(chain, &layers[..1]), Chain::Foreign);
        assert_eq!(compare_chain(chain, &layers[1..]), Chain::Foreign);
        assert_eq!(compare_chain(chain, &[]), Chain::Foreign);
        assert_eq!(compare_chain("", &[]), Chain::Foreign);
    }
}
