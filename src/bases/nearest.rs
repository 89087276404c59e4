//! What a name that does not exist probably meant: names that do exist, best first.
//!
//! Most such names come from Docker Hub's habits (`nodejs`, `24-slim`, `latest`, `22-bookworm`,
//! `21-jre`) and are translated; the rest are typing mistakes and are compared letter by letter.
//! Only used when something has already gone wrong.

use super::catalog::{Parts, Repository, is_distro, names};
use super::table;

/// How many names are worth reading.
const AT_MOST: usize = 3;

/// What other registries call an image that the catalogue has under another name.
const ALIASES: &[(&str, &str)] = &[
    ("alpine", "alpine-base"),
    ("alpinelinux", "alpine-base"),
    ("apache", "httpd"),
    ("aspnet", "aspnetcore"),
    ("corretto", "amazoncorretto"),
    ("debian", "debian-base"),
    ("distroless", "static"),
    ("elixirlang", "elixir"),
    ("erlang", "erlang-otp"),
    ("go", "golang"),
    ("java", "eclipse-temurin"),
    ("jdk", "eclipse-temurin"),
    ("jre", "eclipse-temurin"),
    ("mongo", "mongodb"),
    ("nodejs", "node"),
    ("openjdk", "eclipse-temurin"),
    ("postgresql", "postgres"),
    ("py", "python"),
    ("runtime", "dotnet"),
    ("rustlang", "rust"),
    ("scratch", "static"),
    ("sdk", "dotnet"),
    ("temurin", "eclipse-temurin"),
    ("ubuntu", "debian-base"),
    ("zulu", "azul"),
    ("zulu-openjdk", "azul"),
];

/// Words in the tags of other registries that no hardened image has.
const NOISE: &[&str] = &[
    "slim",
    "latest",
    "lts",
    "current",
    "stable",
    "mainline",
    "jre",
    "headless",
    "runtime",
    "cli",
    "apache",
    "zts",
    "buster",
    "bullseye",
    "stretch",
    "ubuntu",
    "focal",
    "jammy",
    "noble",
    "nonroot",
    "debug",
    "full",
    "minimal",
    "hardened",
    "unprivileged",
    "onbuild",
    "buildpack",
    "static",
];

/// Names that exist and are near to one that does not, at most three, best first. A name with a
/// registry is looked up by its last part.
pub fn nearest(name: &str) -> Vec<String> {
    let name = name.split('@').next().unwrap_or_default();
    let path = name.rfind('/').map_or(0, |slash| slash + 1);
    let (repository, tag) = name[path..].split_once(':').unwrap_or((&name[path..], ""));
    let repository = repository.strip_prefix("dhi-").unwrap_or(repository);
    let mut found = Vec::new();
    for (family, tag) in families(repository, tag) {
        let tags = tags(&family, &tag);
        found.extend(tags.into_iter().map(|tag| format!("{}:{tag}", family.name)));
    }
    // Of several families, show one name each.
    found.truncate(AT_MOST);
    found
}

/// The repositories that a name may mean, each with the tag to look for in it.
fn families(repository: &str, tag: &str) -> Vec<(Repository, String)> {
    if let Some(family) = Repository::find(repository) {
        return vec![(family, tag.to_owned())];
    }
    // `nodejs22-debian12` is how distroless images are named.
    let bare = repository.split("-debian").next().unwrap_or(repository);
    let stem = bare.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let mut tag = tag.to_owned();
    if tag.trim_start_matches("latest").is_empty() {
        bare[stem.len()..].clone_into(&mut tag);
    }
    if repository == "sdk" {
        tag += "-sdk";
    }
    let alias = |name| ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, family)| *family);
    for stem in [repository, bare, stem, stem.trim_end_matches("-slim")] {
        if let Some(family) =
            alias(stem).and_then(Repository::find).or_else(|| Repository::find(stem))
        {
            return vec![(family, tag)];
        }
    }
    let allowed = repository.len() / 3;
    let mut near: Vec<_> = names()
        .map(|name| (distance(repository, name), name))
        .filter(|(distance, _)| *distance <= allowed.max(1))
        .collect();
    near.sort_unstable();
    // What is twice as far as the best is another word.
    let best = near.first().map_or(0, |(distance, _)| *distance);
    let near = near.into_iter().take_while(|(distance, _)| *distance == best).take(AT_MOST);
    near.filter_map(|(_, name)| Some((Repository::find(name)?, tag.clone()))).collect()
}

/// Tags of a repository that are near to one that it does not have.
fn tags(family: &Repository, tag: &str) -> Vec<String> {
    let wanted = translate(family, tag);
    let mut found = Vec::new();
    let variations = variations(family, &wanted);
    for version in variations.chunk_by(|a, b| a.version == b.version) {
        for tag in version.iter().filter_map(|parts| existing(family, parts)) {
            if !found.contains(&tag) {
                found.push(tag);
            }
        }
        // A shorter version adds nothing to one that exists.
        if !found.is_empty() && !wanted.version.is_empty() {
            break;
        }
    }
    if found.is_empty() && !wanted.version.is_empty() {
        found = misspelt(family, tag);
    }
    if found.is_empty() {
        found.extend(
            family.main_tags().iter().filter_map(|tag| existing(family, &family.split(tag))),
        );
    }
    found.truncate(AT_MOST);
    found
}

/// A tag in the words of the catalogue: `22-bookworm-slim` → `22-debian12`.
fn translate(family: &Repository, tag: &str) -> Parts {
    let (mut words, mut distro) = (Vec::new(), String::new());
    // Maven's and Gradle's official images name the distribution of the JDK.
    let tag = ["eclipse-temurin-", "amazoncorretto-", "sapmachine-", "openjdk-", "temurin-"]
        .iter()
        .fold(tag.to_owned(), |tag, jdk| tag.replace(jdk, "jdk"));
    for word in tag.split('-').filter(|word| !word.is_empty()) {
        let known = family.tags.iter().any(|tag| tag.parts.version == word);
        match word {
            _ if known => words.push(word),
            "bookworm" => "debian12".clone_into(&mut distro),
            "trixie" => "debian13".clone_into(&mut distro),
            word if is_distro(word) => word.clone_into(&mut distro),
            word if NOISE.contains(&word) || word.starts_with("windows") => {}
            word => words.push(word),
        }
    }
    Parts { distro, ..family.split(&words.join("-")) }
}

/// What is tried, the most similar first: shorter versions, then the same without distro, infix
/// and flavor.
fn variations(family: &Repository, wanted: &Parts) -> Vec<Parts> {
    let mut versions = vec![wanted.version.clone()];
    if let Some(plain) = wanted.version.strip_prefix('v') {
        versions.push(plain.to_owned());
    }
    let mut version = versions[versions.len() - 1].as_str();
    let mut shorter = Vec::new();
    while let Some(end) = version.rfind(['.', '-', '+', '_']) {
        version = &version[..end];
        shorter.push(version.to_owned());
    }
    versions.extend(shorter);
    let mut releases = vec![wanted.distro.clone()];
    if wanted.distro.starts_with("alpine") {
        releases.push("alpine".to_owned());
    }
    releases.push(String::new());
    if wanted.version.is_empty() {
        (versions, releases) = main_versions(family, &releases);
    }
    let mut variations = Vec::new();
    for version in versions {
        for distro in &releases {
            for (infix, flavor) in [
                (wanted.infix.as_str(), wanted.flavor.as_str()),
                ("", wanted.flavor.as_str()),
                (wanted.infix.as_str(), ""),
                ("", ""),
            ] {
                variations.push(Parts {
                    version: version.clone(),
                    infix: infix.to_owned(),
                    distro: distro.clone(),
                    flavor: flavor.to_owned(),
                    ..wanted.clone()
                });
            }
        }
    }
    variations
}

/// The lines of versions, newest first, of the first distro that has any, and that distro.
fn main_versions(family: &Repository, releases: &[String]) -> (Vec<String>, Vec<String>) {
    for release in releases {
        let heads = family.heads(|tag| tag.parts.distro == *release);
        let mut versions: Vec<_> = heads.iter().map(|tag| tag.parts.version.clone()).collect();
        versions.dedup();
        if !versions.is_empty() {
            return (versions, vec![release.clone()]);
        }
    }
    (Vec::new(), Vec::new())
}

/// The tag itself if it exists, or the tag of its development image if that is asked for.
fn existing(family: &Repository, parts: &Parts) -> Option<String> {
    let exists = |parts: &Parts| family.tag(parts).is_some();
    let runtime = Parts { dev: false, fips: false, ..parts.clone() };
    if exists(&runtime) && !parts.dev {
        return Some(runtime.to_string());
    }
    let dev = table::dev(&format!("{}:{runtime}", family.name)).ok()?;
    let tag = dev.name.strip_prefix(family.name)?.strip_prefix(':')?.to_owned();
    // Without being asked, only where nothing else is there: `maven:3-jdk21-dev`.
    let wanted = parts.dev || family.tags.iter().all(|tag| tag.is_dev);
    (wanted && exists(&family.split(&tag))).then_some(tag)
}

/// Tags that differ by a typing mistake.
fn misspelt(family: &Repository, tag: &str) -> Vec<String> {
    let mut near: Vec<_> = family
        .tags
        .iter()
        .map(|known| known.parts.to_string())
        .map(|known| (distance(tag, &known), known))
        .filter(|(distance, _)| *distance <= (tag.len() / 4).clamp(1, 3))
        .collect();
    near.sort_unstable();
    near.into_iter().take(AT_MOST).map(|(_, tag)| tag).collect()
}

/// How many letters must be put in, left out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, letter) in a.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let changed = above[column] + usize::from(letter != other);
            let mut least = changed.min(above[column + 1] + 1).min(line[column] + 1);
            if row > 0 && column > 0 && *letter == b[column - 1] && a[row - 1] == *other {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn knows_what_other_registries_call_them() {
        for (name, expected) in [
            ("nodejs", "node:26 node:24 node:22"),
            ("nodejs:24", "node:24"),
            ("node:24-slim", "node:24"),
            ("node:latest", "node:26 node:24 node:22"),
            ("node:lts", "node:26 node:24 node:22"),
            ("node:lts-alpine", "node:26-alpine node:24-alpine node:22-alpine"),
            ("node:22-bookworm", "node:22-debian12 node:22"),
            ("node:22-bookworm-slim", "node:22-debian12 node:22"),
            ("node:24.1.0", "node:24"),
            ("node:24.1.0-alpine3.19", "node:24-alpine node:24"),
            ("node:v24", "node:24"),
            ("dhi.io/node:24-slim", "node:24"),
            ("docker.io/acme/dhi-node:24-slim", "node:24"),
            ("node:24-slim-dev", "node:24-dev"),
            ("python:3.13-slim", "python:3.13"),
            ("python3:3.13", "python:3.13"),
            ("golang:alpine", "golang:1-alpine golang:1.26-alpine"),
            ("golang:1.27", "golang:1"),
            ("go:1.26", "golang:1.26"),
            ("openjdk:21-jdk-slim", "eclipse-temurin:21"),
            ("openjdk", "eclipse-temurin:26 eclipse-temurin:25 eclipse-temurin:21"),
            ("java:17", "eclipse-temurin:17"),
            ("eclipse-temurin:21-jre", "eclipse-temurin:21"),
            ("eclipse-temurin:21-jre-alpine", "eclipse-temurin:21-alpine eclipse-temurin:21"),
            ("eclipse-temurin:21-dev", "eclipse-temurin:21-jdk-dev"),
            ("maven:3.9-eclipse-temurin-21", "maven:3.9-jdk21-dev"),
            ("php:8.4-fpm-dev", "php:8.4-dev"),
            ("php:8.4-fpm-bookworm", "php:8.4-fpm php:8.4"),
            ("php:8.4-apache", "php:8.4"),
            ("mcr.microsoft.com/dotnet/sdk:8.0", "dotnet:8.0-sdk dotnet:8.0"),
            ("mcr.microsoft.com/dotnet/aspnet:8.0", "aspnetcore:8.0"),
            ("gcr.io/distroless/static-debian12:nonroot", "static:20250419"),
            ("gcr.io/distroless/nodejs22-debian12", "node:22"),
            ("postgresql:17", "postgres:17"),
            ("ubuntu:24.04", "debian-base:trixie debian-base:bookworm"),
            ("nginx:stable-alpine", "nginx:1-alpine nginx:1.30-alpine"),
            // Typing mistakes.
            ("ngnix:1", "nginx:1"),
            ("pyhton:3.13", "python:3.13"),
            ("node:24-alpnie", "node:24"),
            ("debian-base:trixe", "debian-base:trixie"),
            // Nothing is better than something far off.
            ("our-own-thing:1", ""),
            ("", ""),
            ("x:y:z", ""),
        ] {
            assert_eq!(nearest(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn shows_only_what_exists() {
        for name in names().step_by(5).flat_map(|name| {
            [name.to_owned(), format!("{name}:latest-slim"), format!("{name}x:1-dev")]
        }) {
            let found = nearest(&name);
            assert!(found.len() <= AT_MOST && (name.contains('x') || !found.is_empty()), "{name}");
            for found in found {
                let (repository, tag) = found.split_once(':').unwrap();
                let family = Repository::find(repository).unwrap();
                assert!(family.tag(&family.split(tag)).is_some(), "{name}: {found}");
            }
        }
    }

    #[test]
    fn counts_what_must_change() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("node", "node", 0),
            ("noed", "node", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(name in "\\PC{0,30}|(node|maven|static|php)[a-z0-9:.@/-]{0,30}") {
            let _ = nearest(&name);
            let _ = (super::super::pair(&name), super::super::dev(&name), super::super::runtime(&name, Some(&name)));
        }
    }
}
