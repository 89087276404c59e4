//! Options of the build that ask for what the spec does not have.

use super::{case, check};

#[test]
fn targets() {
    let spec =
        "base: node:24\napps:\n  web:\n    entrypoint: [node]\n  worker:\n    entrypoint: [node]\n";
    check(&[
        case(spec, &[("SPEC-18", "wbe", "web")]).with(&["--target=wbe"]),
        case("base: node:24\nentrypoint: [node]\n", &[("SPEC-18", "prod", "--target")])
            .with(&["--target=prod"]),
    ]);
}

/// Two apps with two stages.
const STAGES: &str = "
    base: node:24
    build:
      deps: [run: npm ci]
      ▸pages: {base: deps, steps: [run: npm run build]}
    apps:
      ▸web: {image: [{copy: x, from: pages}], entrypoint: [node]}
      worker: {image: [{copy: x, from: deps}], entrypoint: [node]}
    ";
/// The same without names for apps.
const ONE: &str = "
    ▸base: node:24
    build:
      make: [run: make]
    image: [{copy: x, from: make}]
    entrypoint: [node]
    ";
/// A stage that is called like the one app.
const TWICE: &str = "
    base: node:24
    build:
      ▸app: [run: make]
    image: [{copy: x, from: app}]
    entrypoint: [node]
    ";

/// The marks of a spec that are meant: counted from 0, the others are no part of it.
fn only(spec: &str, mark: usize) -> &'static str {
    let mut count = 0;
    let kept = spec.chars().filter(|&letter| {
        count += usize::from(letter == '▸');
        letter != '▸' || count == mark + 1
    });
    kept.collect::<String>().leak()
}

#[test]
fn stages_as_targets() {
    let app = |target: &'static str, expected: (&'static str, &'static str, &'static str)| {
        let target: &'static str = format!("--target={target}").leak();
        case(only(STAGES, 1), &[expected]).with(&[target])
    };
    let long: &'static str = "x".repeat(5_000).leak();
    check(&[
        app("web/pagse", ("SPEC-18", "`web/pagse`", "--target web/pages")),
        app("wbe/pages", ("SPEC-18", "`wbe/pages`", "--target web/pages")),
        app("web/", ("SPEC-18", "`web/`", "--target web")),
        app("/pages", ("SPEC-18", "`/pages`", "web/pages")),
        app("web/deps/pages", ("SPEC-18", "`web/deps/pages`", "web/")),
        app("/", ("SPEC-18", "`/`", "web/pages")),
        app(long, ("SPEC-18", "xxxxxxxxxx…", "`worker`")),
        app("a\u{1b}[31mb", ("SPEC-18", "`a\\u{1b}[31mb`", "")),
        app("pages\u{202e}", ("SPEC-18", "\\u{202e}", "")),
        app("app", ("SPEC-18", "`app`", "")),
        case(only(STAGES, 0), &[("SPEC-18", "`pages` is a stage", "--target web/pages")])
            .with(&["--target=pages"]),
        case(ONE, &[("SPEC-18", "`maek`", "--target make")]).with(&["--target=maek"]),
        case(ONE, &[("SPEC-18", "`app/maek`", "--target make")]).with(&["--target=app/maek"]),
        case(TWICE, &[("SPEC-09", "`app` is a stage", "--target app/app")]).with(&["--target=app"]),
        case(
            only(STAGES, 0),
            &[("SPEC-18", "a named context stands in for the stage", "--build-context pages")],
        )
        .with(&["--target=web/pages", "--build-context=pages=docker-image://dhi.io/node:24"]),
    ]);
}

#[test]
fn apps_of_one_name_and_apps_that_need_themselves() {
    check(&[
        case(
            "base: node:24\napps:\n  web:\n    entrypoint: [node]\n  ▸web:\n    entrypoint: [node]\n",
            &[("YAML-03", "web", "")],
        ),
        case(
            "base: node:24\nentrypoint: [node]\napps:\n  web:\n    image: [{copy: /x, from: ▸web}]\n",
            &[("SPEC-08", "`web` needs itself", "")],
        ),
        case(
            "base: node:24\nentrypoint: [node]\napps:\n  web:\n    image: [{copy: /x, from: api}]\n  api:\n    \
             image: [{copy: /x, from: ▸web}]\n",
            &[("SPEC-08", "`web` needs `api` needs `web`", "")],
        ),
        case(
            "base: node:24\nentrypoint: [node]\nenv: {A: 1}\napps:\n  web:\n    env: {▸B: null}\n",
            &[("SPEC-04", "`B` is not among the defaults", "")],
        ),
        case(
            "base: node:24\nentrypoint: [node]\napps: ▸{}\n",
            &[("SPEC-04", "`apps` is empty", "")],
        ),
    ]);
}

#[test]
fn build_arguments() {
    let spec = "base: node:24\nargs:\n  TIER: {default: basic, values: [basic, full]}\nentrypoint: [node]\n";
    check(&[
        case(spec, &[("SPEC-16", "gold", "full")]).with(&["--build-arg=TIER=gold"]),
        case(spec, &[("SPEC-14", "TEAR", "args")]).with(&["--build-arg=TEAR=full"]),
    ]);
}
