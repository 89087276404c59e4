//! Every runtime image of the catalogue against the pair table: what is promised must exist.
//! `UPDATE=1 cargo test` rewrites `tests/golden/bases/pairs.txt`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::catalog::{Repository, Tag, names};
use super::{ImageName, NameError, pair};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/bases/pairs.txt");

/// Whether the catalogue has an image, and whether it is one to build in.
fn find(name: &ImageName) -> Option<bool> {
    let (repository, tag) = name.name.split_once(':')?;
    let family = Repository::find(repository)?;
    // The definitions of .NET call the SDK a runtime image.
    family.tag(&family.split(tag)).map(|tag| tag.is_dev || tag.parts.infix == "sdk")
}

/// The rule that a tag followed, after checking that both names exist.
fn rule(name: &str, tag: &Tag) -> &'static str {
    let written = format!("{name}:{}", tag.parts);
    let pair = match pair(&written) {
        Ok(pair) => pair,
        Err(NameError::NoPair { message, help }) => {
            assert!(
                message.contains(&format!("`{written}` has no development image")),
                "{message}"
            );
            assert!(help.contains(&format!("runtime: {written}}}")), "{help}");
            return "no pair";
        }
        Err(error) => panic!("{written}: {error}"),
    };
    assert_eq!(find(&pair.dev), Some(true), "{written}: {pair:?}");
    assert_eq!(find(&pair.runtime), Some(false), "{written}: {pair:?}");
    let (dev, runtime) = (pair.dev.name.as_str(), pair.runtime.name.as_str());
    if runtime.starts_with("static:") && name != "static" {
        return "static";
    }
    if dev.starts_with("dotnet:") {
        return "sdk";
    }
    assert_eq!(runtime, written);
    if dev == format!("{written}-dev") {
        return "-dev";
    }
    if dev.contains("-jdk") {
        return "jdk";
    }
    assert!(!dev.contains("-fpm") && !dev.contains("-compat"), "{written}: {pair:?}");
    "-dev without the flavor"
}

#[test]
fn gives_every_runtime_image_of_the_catalogue_a_pair_that_exists() {
    let mut by_rule: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    let (mut twins, mut some, mut none) = (0, 0, 0);
    for name in names() {
        let family = Repository::find(name).unwrap();
        let runtime = family.tags.iter().filter(|tag| !tag.is_dev).collect::<Vec<_>>();
        for definition in runtime.chunk_by(|a, b| a.definition == b.definition) {
            let mut rules: Vec<_> = definition.iter().map(|tag| rule(name, tag)).collect();
            rules.sort_unstable();
            rules.dedup();
            *by_rule.entry(rules.join(" or ")).or_default().entry(name).or_default() += 1;
            let twin = |tag: &&&Tag| {
                let mut dev = tag.parts.clone();
                dev.dev = true;
                family.tag(&dev).is_some()
            };
            match definition.iter().filter(twin).count() {
                0 => none += 1,
                all if all == definition.len() => twins += 1,
                _ => some += 1,
            }
        }
    }
    let mut text = format!(
        "runtime definitions: {}; a -dev twin for every tag {twins}, for some {some}, for none {none}\n",
        twins + some + none
    );
    for (rule, families) in &by_rule {
        let total: usize = families.values().sum();
        let _ = write!(text, "\n{rule}: {total} definitions of {} repositories\n", families.len());
        for (name, count) in families {
            let _ = writeln!(text, "  {name} {count}");
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(GOLDEN).unwrap(), text, "UPDATE=1 writes it anew");
    assert_eq!((twins, some, none), (1087, 19, 182));
}

#[test]
fn gives_every_development_image_of_the_catalogue_itself() {
    let (mut families, mut unshipped) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for name in names() {
        let family = Repository::find(name).unwrap();
        for tag in family.tags.iter().filter(|tag| tag.is_dev || tag.parts.infix == "sdk") {
            let written = format!("{name}:{}", tag.parts);
            assert_eq!(super::dev(&written).unwrap().name, written);
            match pair(&written) {
                Ok(pair) => {
                    assert_eq!(pair.dev.name, written);
                    match find(&pair.runtime) {
                        Some(is_dev) => assert!(!is_dev, "{written}: {pair:?}"),
                        None => unshipped.push(written),
                    }
                }
                Err(NameError::NoPair { .. }) => *families.entry(name).or_default() += 1,
                Err(error) => panic!("{written}: {error}"),
            }
        }
    }
    let families: Vec<_> = families.into_keys().collect();
    assert_eq!(families, ["build", "composer", "miniconda3", "sbx-templates"]);
    // A gap of the catalogue: 3.14.7 was built as package revision 0 and shipped without one.
    assert!(unshipped.iter().all(|name| name.starts_with("python:3.14.7-0-")), "{unshipped:?}");
    assert_eq!(unshipped.len(), 9);
}

/// Text between backticks, in order.
fn quoted(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

#[test]
fn is_what_the_docs_say() {
    let docs = include_str!("../../docs/bases.md");
    let (table, rest) = docs.split_once("## When there is no pair").unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).skip(1).collect();
    for row in &rows {
        let [name, dev, runtime, ..] = quoted(row)[..] else { panic!("{row}") };
        let pair = pair(name).unwrap();
        assert_eq!((pair.dev.name.as_str(), pair.runtime.name.as_str()), (dev, runtime), "{row}");
    }
    let mut pairs = 0;
    for line in rest.lines().filter_map(|line| line.strip_prefix("base: {dev: ")) {
        let (dev, runtime) = line.split_once(", runtime: ").unwrap();
        let runtime = runtime.split('}').next().unwrap();
        let pair = super::explicit(dev, runtime).unwrap();
        assert!(find(&pair.dev) == Some(true) && find(&pair.runtime) == Some(false), "{line}");
        pairs += 1;
    }
    assert!(rows.len() > 20 && pairs == 5, "{} {pairs}", rows.len());
    for name in
        ["static", "azul:21-jdk-zulu", "prometheus:3", "miniconda3:26", "composer:2", "maven:3"]
    {
        assert!(matches!(pair(name), Err(NameError::NoPair { .. })), "{name}");
    }
}
