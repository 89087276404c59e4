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

#[test]
fn build_arguments() {
    let spec = "base: node:24\nargs:\n  TIER: {default: basic, values: [basic, full]}\nentrypoint: [node]\n";
    check(&[
        case(spec, &[("SPEC-16", "gold", "full")]).with(&["--build-arg=TIER=gold"]),
        case(spec, &[("SPEC-14", "TEAR", "args")]).with(&["--build-arg=TEAR=full"]),
    ]);
}
