use super::*;
use crate::spec::language::Shape;
use crate::spec::parse;
use crate::spec::tests::numbered;

/// Every shape of the language, and a spec that holds one; `KEY: VALUE` stands for what is tried.
pub(in crate::spec) const SHAPES: &[(&Shape, &str)] = &[
    (&language::FILE, "KEY: VALUE"),
    (&language::APP, "apps: {a: {KEY: VALUE}}"),
    (&language::ARGUMENT, "args: {A: {KEY: VALUE}}"),
    (&language::PAIR, "base: {KEY: VALUE}"),
    (&language::STAGE, "build: {steps: [], KEY: VALUE}"),
    (&language::WRITABLE, "writable: {KEY: VALUE}"),
    (&language::HEALTHCHECK, "healthcheck: {KEY: VALUE}"),
    (&language::TEST_RUN, "test: [{run: a, KEY: VALUE}]"),
    (&language::TEST_START, "test: [{start: a, KEY: VALUE}]"),
    (&language::TEST_HTTP, "test: [{start: true, http: {KEY: VALUE}}]"),
    (&language::HARDEN, "harden: {KEY: VALUE}"),
    (&language::WAIVER, "harden: {waivers: [{KEY: VALUE}]}"),
    (&language::RUN, "build: [{run: a, KEY: VALUE}]"),
    (&language::PACKAGES, "build: [{KEY: VALUE}]"),
    (&language::COPY, "image: [{copy: a, KEY: VALUE}]"),
    (&language::ADD, "image: [{add: a, KEY: VALUE}]"),
    (&language::WRITE, "image: [{write: a, KEY: VALUE}]"),
    (&language::MKDIR, "image: [{mkdir: a, KEY: VALUE}]"),
    (&language::LINK, "image: [{link: a, KEY: VALUE}]"),
    (&language::CACHE, "build: [{run: a, cache: {KEY: VALUE}}]"),
    (&language::SECRET, "build: [{run: a, secret: {KEY: VALUE}}]"),
    (&language::BIND, "build: [{run: a, bind: {KEY: VALUE}}]"),
];

/// A spec with one key of a shape; where the key makes the shape, it takes the place of its word.
fn with_key(template: &str, key: &str, value: &str) -> String {
    let spec = template.replace("KEY: VALUE", &format!("{key}: {value}"));
    [format!("{key}: a, {key}:"), format!("{key}: [], {key}:")]
        .iter()
        .fold(spec, |spec, twice| spec.replace(twice, &format!("{key}:")))
}

#[test]
fn every_key_of_the_language_is_read() {
    for (shape, template) in SHAPES {
        for key in shape.all() {
            // No value of the language looks so: a key that nobody reads would say nothing about it.
            let spec = with_key(template, key.name, "{_: [[{}]]}");
            let start =
                u32::try_from(spec.find(&format!("{}: {{_", key.name)).unwrap()).unwrap() + 1;
            let found = parse(spec.as_bytes()).unwrap_err();
            let is_about = |problem: &&Diagnostic| {
                let column = problem.span.start.column;
                column > start || (column == start && problem.code != Code::UnknownKey)
            };
            let about: Vec<_> = found.iter().filter(is_about).collect();
            assert!(!about.is_empty(), "{}.{} in {spec}: {found:#?}", shape.name, key.name);
        }
    }
}

#[test]
fn every_example_is_accepted() {
    for (shape, template) in SHAPES {
        for key in shape.all() {
            let spec = with_key(template, key.name, key.example);
            let place = u32::try_from(spec.find(&format!("{}: ", key.name)).unwrap()).unwrap() + 1;
            let found = parse(spec.as_bytes()).err().unwrap_or_default();
            let wrong: Vec<_> = found
                .iter()
                .filter(|problem| problem.span.start.column >= place)
                .filter(|problem| {
                    !matches!(
                        problem.code,
                        Code::MissingKey
                            | Code::ConflictingKeys
                            | Code::UnknownArgument
                            | Code::StageCycle
                    )
                })
                .collect();
            assert!(wrong.is_empty(), "{}.{} in {spec}: {wrong:#?}", shape.name, key.name);
        }
    }
}

#[test]
fn long_and_short_forms_become_one() {
    for (short, long) in [
        ("base: a\nbuild: [{run: x}]\nimage: []", "base: a\nbuild: {steps: [{run: x}]}\nimage: []"),
        (
            "base: a\nbuild: [{run: x, cache: /c}]\nimage: []",
            "base: a\nbuild: [{run: x, cache: [{path: /c, sharing: shared}]}]\nimage: []",
        ),
        (
            "base: a\nbuild: [{run: x, secret: s}]\nimage: []",
            "base: a\nbuild: [{run: x, secret: [{id: s, optional: false}]}]\nimage: []",
        ),
        (
            "base: a\nbuild: [{run: x, ssh: true}]\nimage: []",
            "base: a\nbuild: [{run: x, ssh: [default]}]\nimage: []",
        ),
        (
            "base: a\nbuild: [{run: x, bind: {source: y}}]\nimage: []",
            "base: a\nbuild: [{run: x, bind: [{source: y}]}]\nimage: []",
        ),
        (
            "base: a\nimage: [{copy: x}]\nwritable: y",
            "base: a\nimage: [{copy: [x]}]\nwritable: [{path: y}]",
        ),
        ("base: a\nexpose: 80\nvolumes: x", "base: a\nexpose: [80]\nvolumes: [x]"),
        ("args: {A: 1, B: }\nbase: a", "args: {A: {default: 1}, B: {}}\nbase: a"),
        ("base: a\nhealthcheck: [x]", "base: a\nhealthcheck: {run: [x]}"),
        (
            "base: a\ncmd: [b]\nenv: {A: 1, B: 2}\napps: {x: {cmd: [c], env: {A: null, C: 3}}}",
            "apps: {x: {base: a, cmd: [c], env: {B: 2, C: 3}}}",
        ),
        (
            "base: a\ncmd: [b]\nexpose: [1, 2]\napps: {x: {cmd: null, expose: 3}}",
            "apps: {x: {base: a, expose: [3]}}",
        ),
        (
            "base: {dev: a, runtime: b}\napps: {x: {base: {runtime: c}}, y: {base: d}}",
            "apps: {x: {base: {dev: a, runtime: c}}, y: {base: d}}",
        ),
        (
            "base: a\nwritable: {path: b, mode: 0700}\napps: {x: {writable: {path: c}}}",
            "apps: {x: {base: a, writable: c}}",
        ),
        (
            "base: a\nhealthcheck: {run: [b], retries: 2}\napps: {x: {healthcheck: {retries: 3}}, \
             y: {healthcheck: none}, z: {healthcheck: null}}",
            "apps: {x: {base: a, healthcheck: {run: [b], retries: 3}}, y: {base: a, healthcheck: \
             none}, z: {base: a}}",
        ),
        (
            "base: a\nlabels: {a: 1}\nannotations: {a: 1}\napps: {x: {labels: {a: 2, b: 3}, annotations: {a: null}}}",
            "apps: {x: {base: a, labels: {a: 2, b: 3}}}",
        ),
        (
            "base: a\nimage: [{copy: x}]\nuser: 5\nplatforms: [linux/arm64]\napps: {x: {image: [], user: 6, \
             platforms: linux/amd64}}",
            "apps: {x: {base: a, image: [], user: 6, platforms: [linux/amd64]}}",
        ),
    ] {
        let spec = |text: &str| {
            let spec = parse(text.as_bytes())?.spec;
            let parts = format!("{:?}", (spec.args, spec.stages, spec.apps, spec.named_apps));
            Ok::<_, Vec<Diagnostic>>(without_places(&parts))
        };
        assert_eq!(spec(short), spec(long), "{short}");
        assert!(spec(short).is_ok(), "{short}: {:?}", spec(short));
    }
}

/// A spec's debug output with every position removed.
fn without_places(debug: &str) -> String {
    let place =
        regex::Regex::new(r"span: Span \{[^}]*\}[^}]*\} \}|Position \{[^}]*\}|, start: |end: ")
            .unwrap();
    place.replace_all(debug, "").into_owned()
}

#[test]
fn a_merged_value_keeps_its_place() {
    let parsed = parse(b"base: a\nenv: {A: 1, B: 2}\napps:\n  x:\n    env: {B: 3}\n").unwrap();
    let places: Vec<_> = parsed.spec.apps[0]
        .env
        .iter()
        .map(|variable| (variable.value.value.as_str(), variable.value.span.start.line))
        .collect();
    assert_eq!(places, [("1", 2), ("3", 5)]);
}

#[test]
fn an_app_that_waives_keeps_the_profile_of_the_defaults() {
    let harden = |defaults: &str, app: &str| {
        let text = format!("base: a\nharden: {defaults}\napps:\n  x:\n    harden: {app}\n");
        let parsed = parse(text.as_bytes()).unwrap();
        let harden = parsed.spec.apps[0].harden.clone();
        (harden.profile.map(|name| name.value), harden.waivers.len())
    };
    let waivers = "{waivers: [{check: PKG-05, reason: r, owner: o, expires: 2027-03-31}]}";
    let strict = Some("strict".to_owned());
    assert_eq!(harden("strict", waivers), (strict.clone(), 1));
    assert_eq!(harden("{profile: strict}", waivers), (strict.clone(), 1));
    assert_eq!(harden(waivers, "{profile: strict}"), (strict.clone(), 1));
    assert_eq!(harden(waivers, "strict"), (strict, 0));
    assert_eq!(harden(waivers, "{waivers: []}"), (None, 0));
    assert_eq!(harden("strict", "null"), (None, 0));
}

#[test]
fn many_waivers_are_refused() {
    let one = "{check: PKG-05, reason: r, owner: o, expires: 2027-03-31}, ";
    let spec = |count| format!("base: a\nharden: {{waivers: [{}]}}\n", one.repeat(count));
    assert!(parse(spec(200).as_bytes()).is_ok());
    let found = parse(spec(201).as_bytes()).unwrap_err();
    assert_eq!(found[0].code, Code::TooLarge);
}

#[test]
fn many_apps_with_large_defaults_are_bounded() {
    let env = numbered(3_000, |index| format!("  A{index}: x\n"));
    let apps = |count: usize| numbered(count, |index| format!("  a{index}: {{}}\n"));
    let codes = |count| -> Vec<Code> {
        let spec = format!("base: a\nenv:\n{env}apps:\n{}", apps(count));
        parse(spec.as_bytes())
            .map_or_else(|found| found.iter().map(|problem| problem.code).collect(), |_| Vec::new())
    };
    assert_eq!(codes(10), []);
    assert_eq!(codes(40), [Code::TooLarge]);
    assert_eq!(codes(51), [Code::TooLarge]);
}

#[test]
fn shows_a_hundred_mistakes_and_counts_the_rest() {
    let spec = numbered(9_000, |index| format!("key{index}: x\n"));
    let found = parse(spec.as_bytes()).unwrap_err();
    assert_eq!(found.len(), 100);
    assert!(
        found[99].message.ends_with("and 8901 more mistakes in the file"),
        "{}",
        found[99].message
    );
}
