//! Tries a finished image from within: the part of hardpan that runs inside BuildKit with the
//! image's root file system as its own, and starts programs of it.
//!
//! In: an [`Order`] (who the app is, what is tried). Out: an [`Answer`], one entry for each test,
//! bounded, without any time in it. It begins as root and stays it, so that the app can neither
//! touch the answer nor its judge; every program of the image gets the runtime contract: its user's
//! numbers, no group besides, no capability, no new privileges, nothing to write but what is
//! mounted so. Whatever a test has started is gone before the next one begins.

mod answer;
mod ask;
mod command;
mod lower;
mod order;
mod output;
pub mod pattern;
mod process;
mod service;
pub mod signal;

pub use answer::{Answer, Kind, Outcome, Report, Stop};
pub use lower::run as lower;
pub use order::{Expected, Http, Order, Service, Test, Trial};

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::inspect::{run_mode, write_json};

/// Where hardpan's own files are beside those of an image that is tried.
pub const PLACE: &str = "/.hardpan";

/// The name of the answer in the output folder.
pub const FILE: &str = "tests.json";

/// The arguments of `hardpan tests`.
#[derive(Debug, Parser)]
#[command(name = "tests", no_binary_name = true)]
struct Arguments {
    /// The file with the order.
    #[arg(long)]
    order: PathBuf,
    /// The folder that the answer is written into.
    #[arg(long)]
    out: PathBuf,
}

/// Runs `hardpan tests` with the words behind it.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    run_mode("tests", arguments, |arguments: &Arguments| {
        let told = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
        let order = std::fs::read(&arguments.order).map_err(|error| told("order", &error))?;
        let order: Order = serde_json::from_slice(&order).map_err(|error| told("order", &error))?;
        process::adopt().map_err(|error| told("children", &error))?;
        let answer = Answer::of(order.tests.iter().map(|test| try_one(&order, test)).collect());
        write_json(&arguments.out, FILE, &answer).map_err(|error| told("answer", &error))
    })
}

fn try_one(order: &Order, test: &Test) -> Report {
    match &test.trial {
        Trial::Run { command, expected } => command::try_it(order, test, (command, expected)),
        Trial::Start(service) => service::try_it(order, test, service),
    }
}
