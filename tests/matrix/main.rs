//! The builders that people have, each with the same cases: what comes out must be what the main
//! BuildKit gives. `make matrix` runs all of them, `make test` those of `HARDPAN_MATRIX`.
//!
//! Each builder is started with an empty cache and ended again. The table says how every case went;
//! words on the command line choose lines of it: `cargo test --test matrix -- buildkit-0.17`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
#![allow(
    unreachable_pub,
    dead_code,
    reason = "what the tests stand on is written for tests to come as well"
)]

mod builder;
mod cases;
mod demo;
mod docker;
#[path = "../builds/support/mod.rs"]
mod support;

use std::any::Any;
use std::env;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use builder::Builder;
use cases::CASES;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |builder: &str, case: &str| {
        let line = format!("{builder} {case}");
        words.is_empty() || words.iter().any(|word| line.contains(word.as_str()))
    };
    if env::args().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let names = env::var("HARDPAN_MATRIX").unwrap_or_default();
    if names.trim().is_empty() {
        say(
            "HARDPAN_MATRIX names no builder: run `make test` or `make matrix`, or `make builders`",
        );
        return ExitCode::FAILURE;
    }
    let mut failures = Vec::new();
    let mut count = 0;
    for name in names.split_whitespace() {
        let cases = CASES.iter().filter(|case| (case.suits)(name) && wanted(name, case.name));
        let cases: Vec<_> = cases.collect();
        if cases.is_empty() {
            continue;
        }
        let builder = Builder::start(name);
        for case in cases {
            count += 1;
            let began = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| (case.run)(&builder)));
            let result = if outcome.is_ok() { "ok" } else { "FAILED" };
            say(&format!(
                "{name:<18} {:<26} {result:<7} {:6.1} s",
                case.name,
                began.elapsed().as_secs_f64()
            ));
            if let Err(panic) = outcome {
                failures.push(format!("{name} {}: {}", case.name, words_of(panic.as_ref())));
            }
        }
    }
    for failure in &failures {
        say(&format!("\n{failure}"));
    }
    say(&format!("\nmatrix: {} of {count} cases hold", count - failures.len()));
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

/// A line of the table, seen at once.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}
