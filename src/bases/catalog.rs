//! The tags of Docker Hardened Images that this release knows, from `catalog.txt`, and how such a
//! tag is taken apart: `21-jdk-alpine3.24-dev` is version, infix, distro and `-dev`.
//!
//! One repository is one line, found in the text and expanded only when it is asked for, so that
//! a build pays microseconds and no start-up. The text comes from `scripts/catalog.py`, which
//! proves that it holds every tag; the registry may know newer ones.

use std::cmp::Ordering;
use std::fmt;

const CATALOG: &str = include_str!("catalog.txt");
/// The distro of tags that name none.
pub(super) const DEFAULT_DISTRO: &str = "debian13";

/// A repository with all its tags, in the order of the catalogue.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    pub(super) name: &'static str,
    pub(super) tags: Vec<Tag>,
}

/// A tag that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) parts: Parts,
    /// Whether the image is for building; usually, not always, its tag ends in `-dev`.
    pub(super) is_dev: bool,
    /// The release behind a floating distro: `debian13`, `alpine3.24`.
    pub(super) distro: String,
    /// Which definition of the repository it belongs to.
    pub(super) definition: usize,
}

/// A tag, taken apart. `Display` puts it together again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parts {
    /// `24`, `3.13.15`, `8u502.b07`; empty in a short tag such as `glibc`.
    pub(super) version: String,
    /// What stands before the distro: `jdk`, `sdk`, `glibc`, `jdk21`.
    pub(super) infix: String,
    /// `debian`, `debian13`, `alpine`, `alpine3.24`, or empty.
    pub(super) distro: String,
    /// What stands after the distro: `fpm`, `compat`, `sfw`.
    pub(super) flavor: String,
    pub(super) fips: bool,
    pub(super) dev: bool,
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fips = if self.fips { "fips" } else { "" };
        let dev = if self.dev { "dev" } else { "" };
        let parts = [&self.version, &self.infix, &self.distro, &self.flavor, fips, dev];
        let mut separator = "";
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            write!(f, "{separator}{part}")?;
            separator = "-";
        }
        Ok(())
    }
}

/// The names of all repositories, sorted.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    lines().map(|(name, _)| name)
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    CATALOG.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '))
}

impl Repository {
    /// The repository of that name, if this release knows it.
    pub(super) fn find(name: &str) -> Option<Self> {
        // Every line is looked at, so nothing is split before it is the right one.
        let line = CATALOG.lines().find(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')) && name != "#"
        })?;
        let (name, records) = line.split_once(' ')?;
        let mut tags = Vec::new();
        let mut definition = 0;
        for record in records.split(' ') {
            expand(record, &mut definition, &mut tags);
        }
        Some(Self { name, tags })
    }

    /// Takes a tag apart with what is known of this repository's infixes and flavors.
    pub(super) fn split(&self, tag: &str) -> Parts {
        let mut parts = Parts::default();
        // With a hyphen in front, every part is a suffix that begins with one.
        let mut rest = format!("-{tag}");
        parts.dev = cut(&mut rest, "dev");
        parts.fips = cut(&mut rest, "fips");
        if let Some((start, end)) = find_distro(&rest) {
            rest[end..].trim_start_matches('-').clone_into(&mut parts.flavor);
            rest[start + 1..end].clone_into(&mut parts.distro);
            rest.truncate(start);
        } else {
            parts.flavor = self.cut_longest(&mut rest, |parts| &parts.flavor);
        }
        parts.infix = self.cut_longest(&mut rest, |parts| &parts.infix);
        rest.trim_start_matches('-').clone_into(&mut parts.version);
        parts
    }

    fn cut_longest(&self, rest: &mut String, part: impl Fn(&Parts) -> &String) -> String {
        let known = self.tags.iter().map(|tag| part(&tag.parts));
        let found = known.filter(|known| !known.is_empty() && ends_in(rest, known));
        let longest = found.max_by_key(|known| known.len()).cloned().unwrap_or_default();
        cut(rest, &longest);
        longest
    }

    /// The tag that is spelt like this.
    pub(super) fn tag(&self, parts: &Parts) -> Option<&Tag> {
        // A tag that follows no rule has everything in its version.
        let text = Parts { dev: false, ..parts.clone() }.to_string();
        let irregular = |tag: &Parts| {
            tag.dev == parts.dev
                && tag.version == text
                && tag.infix.is_empty()
                && tag.distro.is_empty()
        };
        self.tags.iter().find(|tag| tag.parts == *parts || irregular(&tag.parts))
    }

    /// Whether there are tags like this one, of another version or release of the same distro.
    pub(super) fn has_like(&self, parts: &Parts) -> bool {
        let family = |distro: &str| distro.trim_end_matches(is_release).to_owned();
        self.tags.iter().any(|tag| {
            tag.parts.infix == parts.infix
                && tag.parts.flavor == parts.flavor
                && tag.parts.dev == parts.dev
                && family(&tag.parts.distro) == family(&parts.distro)
        })
    }

    /// The release that a tag stands for, `debian13` where nothing says otherwise.
    pub(super) fn distro(&self, parts: &Parts) -> String {
        if parts.distro.ends_with(is_release) {
            return parts.distro.clone();
        }
        let floating = self.tags.iter().filter(|tag| tag.parts.distro == parts.distro);
        let newest = || floating.max_by(|a, b| by_version(&a.distro, &b.distro));
        let tag = self.tag(parts).or_else(newest);
        tag.map_or_else(|| DEFAULT_DISTRO.to_owned(), |tag| tag.distro.clone())
    }

    /// The shortest tag of each definition, the newest definition first, of the tags to keep.
    pub(super) fn heads(&self, keep: impl Fn(&Tag) -> bool) -> Vec<&Tag> {
        let kept: Vec<&Tag> = self.tags.iter().filter(|tag| keep(tag)).collect();
        let mut heads: Vec<(&Tag, &Tag)> = kept
            .chunk_by(|a, b| a.definition == b.definition)
            .filter_map(|chunk| Some((*chunk.first()?, *chunk.last()?)))
            .collect();
        // `1` may stand for 1.31, so the longest counts.
        heads.sort_by(|(_, a), (_, b)| by_version(&b.parts.to_string(), &a.parts.to_string()));
        heads.into_iter().map(|(head, _)| head).collect()
    }

    /// The tags to show to somebody who wrote none: one for each line of versions, newest first,
    /// as short as they come and without `-dev`.
    pub(super) fn main_tags(&self) -> Vec<String> {
        let has_runtime = self.tags.iter().any(|tag| !tag.is_dev);
        let candidates = || self.tags.iter().filter(|tag| tag.is_dev != has_runtime);
        let effort = |tag: &Tag| (tag.parts.flavor.len(), tag.parts.distro.len());
        let Some(least) = candidates().map(effort).min() else { return Vec::new() };
        let main = self.heads(|tag| tag.is_dev != has_runtime && effort(tag) == least);
        let mut texts = Vec::new();
        for tag in main {
            let text = Parts { dev: false, ..tag.parts.clone() }.to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    }
}

/// A record such as `24/.19/.0~jdk+fpm!v24=_f13,f3.24r` → its tags; see the head of the file.
fn expand(record: &str, definition: &mut usize, tags: &mut Vec<Tag>) {
    let Some((head, distros)) = record.split_once('=') else { return };
    let mut extra = head.split('!');
    let head = extra.next().unwrap_or_default();
    let extra: Vec<&str> = extra.collect();
    let (head, flavor) = head.split_once('+').unwrap_or((head, ""));
    let (head, infix) = head.split_once('~').unwrap_or((head, ""));
    let mut versions = Vec::new();
    for chain in head.split('|') {
        let mut version = String::new();
        for part in chain.split('/') {
            version += part;
            versions.push(version.clone());
        }
    }
    for spelling in distros.split(',') {
        let plain = spelling.starts_with('_');
        let alias = spelling.trim_start_matches('_').starts_with('f');
        let release = spelling.trim_start_matches(['_', 'f']).trim_end_matches(['r', 'd', 'x']);
        let family = if release.contains('.') { "alpine" } else { "debian" };
        let exact = format!("{family}{release}");
        let distro = if release.is_empty() { DEFAULT_DISTRO } else { &exact };
        let tokens = [(plain, ""), (alias, family), (!release.is_empty(), &exact)];
        let mark = spelling.chars().next_back();
        for is_dev in [false, true] {
            if mark == Some('r') && is_dev || matches!(mark, Some('d' | 'x')) && !is_dev {
                continue;
            }
            let parts = |version: &str, infix: &str, token: &str, flavor: &str| Parts {
                version: version.to_owned(),
                infix: infix.to_owned(),
                distro: token.to_owned(),
                flavor: flavor.to_owned(),
                fips: false,
                dev: is_dev && mark != Some('x'),
            };
            let mut all = Vec::new();
            for (_, token) in tokens.iter().filter(|(exists, _)| *exists) {
                all.extend(versions.iter().map(|version| parts(version, infix, token, flavor)));
            }
            all.extend(extra.iter().map(|tag| parts(tag, "", "", "")));
            let tag =
                |parts| Tag { parts, is_dev, distro: distro.to_owned(), definition: *definition };
            tags.extend(all.into_iter().map(tag));
            *definition += 1;
        }
    }
}

/// Orders versions by their numbers: 9 before 10, `24.9` before `24.10`.
pub(super) fn by_version(a: &str, b: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> {
        let runs = text.split(|letter: char| !letter.is_ascii_digit());
        runs.filter(|run| !run.is_empty()).map(|run| run.parse().unwrap_or(u64::MAX)).collect()
    };
    numbers(a).cmp(&numbers(b)).then_with(|| a.cmp(b))
}

/// Where the last distro stands in a tag, its hyphen included.
pub(super) fn find_distro(tag: &str) -> Option<(usize, usize)> {
    let mut end = tag.len();
    while let Some(start) = tag[..end].rfind('-') {
        let token = &tag[start + 1..end];
        if is_distro(token) {
            return Some((start, end));
        }
        end = start;
    }
    None
}

/// `debian`, `debian13`, `alpine`, `alpine3.24`.
pub(super) fn is_distro(word: &str) -> bool {
    matches!(word.trim_end_matches(is_release), "debian" | "alpine")
}

fn is_release(letter: char) -> bool {
    letter.is_ascii_digit() || letter == '.'
}

fn ends_in(text: &str, part: &str) -> bool {
    text.strip_suffix(part).is_some_and(|rest| rest.ends_with('-'))
}

/// Cuts `-part` off the end.
fn cut(text: &mut String, part: &str) -> bool {
    let found = !part.is_empty() && ends_in(text, part);
    if found {
        text.truncate(text.len() - part.len() - 1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn holds_what_the_catalogue_was_counted_to_hold() {
        let (mut tags, mut runtime, mut dev) = (BTreeSet::new(), 0, 0);
        for name in names() {
            let repository = Repository::find(name).unwrap();
            let definitions: BTreeSet<_> =
                repository.tags.iter().map(|tag| (tag.definition, tag.is_dev)).collect();
            runtime += definitions.iter().filter(|(_, is_dev)| !is_dev).count();
            dev += definitions.iter().filter(|(_, is_dev)| *is_dev).count();
            tags.extend(repository.tags.iter().map(|tag| format!("{name}:{}", tag.parts)));
        }
        assert_eq!((names().count(), runtime, dev, tags.len()), (554, 1288, 1294, 18_095));
        assert!(CATALOG.len() < 100_000 && CATALOG.is_ascii());
        assert!(names().is_sorted());
    }

    #[test]
    fn takes_every_tag_apart_as_it_was_put_together() {
        for name in names() {
            let repository = Repository::find(name).unwrap();
            for tag in &repository.tags {
                let text = tag.parts.to_string();
                let parts = repository.split(&text);
                assert_eq!(parts.to_string(), text, "{name}");
                assert_eq!(repository.tag(&parts).map(|found| &found.distro), Some(&tag.distro));
                assert_eq!(repository.distro(&parts), tag.distro, "{name}:{text}");
            }
        }
    }

    #[test]
    fn takes_tags_apart() {
        for (name, expected) in [
            ("node:24", "24||||"),
            ("node:24.19.0-0-alpine3.24-sfw-ent-dev", "24.19.0-0||alpine3.24|sfw-ent|dev"),
            ("node:99-sfw-dev", "99|||sfw|dev"),
            ("eclipse-temurin:21-jdk-alpine-dev", "21|jdk|alpine||dev"),
            ("eclipse-temurin:99-jdk-fips-dev", "99|jdk|||fipsdev"),
            ("php:8.4-alpine3.24-fpm", "8.4||alpine3.24|fpm|"),
            ("php:8.4-fpm", "8.4|||fpm|"),
            ("static:glibc", "|glibc|||"),
            ("static:musl-alpine3.23", "|musl|alpine3.23||"),
            ("static:alpine", "||alpine||"),
            ("static:20250419-glibc-debian12", "20250419|glibc|debian12||"),
            ("azul:21-jdk-zulu", "21|jdk-zulu|||"),
            ("composer:2-php8.4-dev", "2|||php8.4|dev"),
            ("maven:3.9.16-r0-jdk17-alpine-dev", "3.9.16-r0|jdk17|alpine||dev"),
            ("node:24-slim", "24-slim||||"),
            ("node:", "||||"),
            ("node:-dev", "||||dev"),
        ] {
            let (repository, tag) = name.split_once(':').unwrap();
            let parts = Repository::find(repository).unwrap().split(tag);
            let marks = if parts.fips { "fips" } else { "" }.to_owned()
                + if parts.dev { "dev" } else { "" };
            let found =
                [&parts.version, &parts.infix, &parts.distro, &parts.flavor, &marks].map(|s| &**s);
            assert_eq!(found.join("|"), expected, "{name}");
        }
    }

    #[test]
    fn names_the_main_tags_newest_first() {
        for (name, tags) in [
            ("node", "26 24 22"),
            ("golang", "1"),
            ("eclipse-temurin", "26 25 21 17 11 8"),
            ("maven", "3-jdk25 3-jdk21 3-jdk17"),
            ("static", "20250419-glibc 20250419"),
            ("debian-base", "trixie bookworm"),
        ] {
            assert_eq!(Repository::find(name).unwrap().main_tags().join(" "), tags, "{name}");
        }
        assert!(Repository::find("nodejs").is_none());
        assert!(Repository::find("#").is_none() && Repository::find("").is_none());
        for name in names() {
            assert!(!Repository::find(name).unwrap().main_tags().is_empty(), "{name}");
        }
    }
}
