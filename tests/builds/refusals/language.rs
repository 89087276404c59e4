//! A spec that says what the language does not have.

use super::{case, check};

#[test]
fn keys_and_kinds_of_values() {
    check(&[
        case("base: node:24\n▸entrpoint: [node]\n", &[("SPEC-01", "entrpoint", "entrypoint")]),
        case(
            "base: node:24\nimage:\n  - copy: a\n    ▸form: build\nentrypoint: [node]\n",
            &[("SPEC-01", "form", "from")],
        ),
        case("base: node:24\nexpose: ▸{a: b}\nentrypoint: [node]\n", &[("SPEC-02", "expose", "")]),
        case(
            "base: node:24\nimage: ▸server.mjs\nentrypoint: [node]\n",
            &[("SPEC-02", "image", "")],
        ),
        case("base: node:24\nexpose: ▸99999\nentrypoint: [node]\n", &[("SPEC-04", "99999", "")]),
        case(
            "base: node:24\nstopsignal: ▸SIGNOTHING\nentrypoint: [node]\n",
            &[("SPEC-04", "SIGNOTHING", "")],
        ),
        case(
            "▸image:\n  - write: /x\n    content: y\nentrypoint: [node]\n",
            &[("SPEC-03", "base", "base")],
        ),
        case(
            "base: node:24\n▸build:\n  - run: echo\nentrypoint: [node]\n",
            &[("SPEC-03", "image", "{copy: ., from: build}")],
        ),
    ]);
}

#[test]
fn what_would_undo_the_hardening() {
    check(&[
        case(
            "base: node:24\nentrypoint: ▸node server.mjs\n",
            &[("SPEC-10", "", "[node, server.mjs]")],
        ),
        case("base: node:24\ncmd: ▸npm start\n", &[("SPEC-10", "", "[npm, start]")]),
        case("base: node:24\nuser: ▸root\nentrypoint: [node]\n", &[("SPEC-11", "root", "")]),
        case("base: node:24\nuser: ▸0:0\nentrypoint: [node]\n", &[("SPEC-11", "0", "")]),
        case(
            "base: node:24\nuser: ▸nobody-here\nentrypoint: [node]\n",
            &[("REF-10", "nobody-here", "")],
        ),
        case(
            "base: node:24\nimage:\n  - ▸run: apt-get install -y bash\nentrypoint: [node]\n",
            &[("SPEC-13", "run", "build")],
        ),
        case(
            "base: node:24\nwritable: ▸/etc/app\nentrypoint: [node]\n",
            &[("PLACE-03", "/etc/app", "")],
        ),
    ]);
}

#[test]
fn what_is_fetched_without_a_checksum() {
    check(&[
        case(
            "base: node:24\nimage:\n  - add: ▸https://example.org/a.tar.gz\nentrypoint: [node]\n",
            &[("SPEC-12", "https://example.org/a.tar.gz", "checksum")],
        ),
        case(
            "base: node:24\nimage:\n  - add: ▸https://example.org/a.git#main\nentrypoint: [node]\n",
            &[("SPEC-12", "main", "git ls-remote")],
        ),
    ]);
}

#[test]
fn stages_and_names() {
    check(&[
        case(
            "base: node:24\nbuild:\n  deps:\n    - run: echo\nimage:\n  - copy: a\n    from: ▸dep\nentrypoint: [node]\n",
            &[("SPEC-07", "dep", "deps")],
        ),
        case(
            "base: node:24\nbuild:\n  one:\n    - copy: /a\n      from: two\n  two:\n    - copy: /b\n      from: ▸one\nimage:\n  - copy: /b\n    from: two\nentrypoint: [node]\n",
            &[("SPEC-08", "one", "")],
        ),
        case(
            "base: node:24\nbuild:\n  one:\n    base: ▸one\n    steps:\n      - run: echo\nimage:\n  - copy: /b\n    from: one\nentrypoint: [node]\n",
            &[("SPEC-08", "one", "")],
        ),
    ]);
}

#[test]
fn arguments() {
    check(&[
        case(
            "base: node:24\nargs: {PORT: 8080}\nenv: {A: \"▸${PROT}\"}\nentrypoint: [node]\n",
            &[("SPEC-14", "PROT", "PORT")],
        ),
        case(
            "base: node:24\nargs: {SHA: }\nenv: {A: \"▸${SHA}\"}\nentrypoint: [node]\n",
            &[("SPEC-15", "SHA", "SHA")],
        ),
        case(
            "base: node:24\nargs:\n  TIER: {default: ▸gold, values: [basic, full]}\nentrypoint: [node]\n",
            &[("SPEC-16", "gold", "full")],
        ),
    ]);
}

#[test]
fn later_parts_of_the_language_say_so() {
    check(&[
        case("base: node:24\n▸extends: acme\nentrypoint: [node]\n", &[("SPEC-06", "extends", "")]),
        case(
            "base: node:24\n▸init:\n  - run: [node, x]\nentrypoint: [node]\n",
            &[("SPEC-06", "init", "")],
        ),
        case("base: node:24\nentrypoint: [node, ▸$(PORT)]\n", &[("SPEC-06", "$(PORT)", "")]),
        case(
            "base: node:24\nimage:\n  - ▸packages: curl\nentrypoint: [node]\n",
            &[("SPEC-06", "packages", "")],
        ),
    ]);
}

#[test]
fn several_mistakes_at_once() {
    check(&[case(
        "base: node:24\n▸imgae:\n  - copy: a\nuser: ▸root\nentrypoint: ▸node x\nexpose: ▸70000\n",
        &[
            ("SPEC-01", "imgae", "image"),
            ("SPEC-11", "root", ""),
            ("SPEC-10", "", "[node, x]"),
            ("SPEC-04", "70000", ""),
        ],
    )]);
}
