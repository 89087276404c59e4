//! `hardpan scan PATH`: judges an image, or a file system, that is there already.
//!
//! The report goes to stdout or to a file, notes and troubles to stderr.

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use super::Outcome;
use crate::frontend::prepare;
use crate::harden::{self, Allowed, Demand, Policy, Profile, Source, Subject};
use crate::input::Input;
use crate::report::{About, Document, Format, document};
use crate::scan::{Request, Scanned, scan};

/// What people write.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A folder with a file system, an OCI layout, or a tar archive of an image or file system
    path: PathBuf,
    /// The form of the report
    #[arg(long, default_value = "text", value_parser = format)]
    format: Format,
    /// How strict to be [default: standard]
    #[arg(long, value_parser = profile)]
    profile: Option<Profile>,
    /// What the image stands on, in any of the same forms: tells its files from the app's
    #[arg(long, value_name = "PATH")]
    base: Option<PathBuf>,
    /// Which platform of an image for several, such as `linux/arm64` [default: this machine's]
    #[arg(long)]
    platform: Option<String>,
    /// Which image of an archive with several, by its name
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
    /// The image config, in JSON, of a file system that has none of its own
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Writes the report to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn format(text: &str) -> Result<Format, String> {
    Format::parse(text).ok_or_else(|| {
        let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
        format!("the forms are {}", names.join(", "))
    })
}

fn profile(text: &str) -> Result<Profile, String> {
    Profile::find(text).ok_or_else(|| {
        let names: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
        format!("the profiles are {}", names.join(", "))
    })
}

/// Scans, and writes the report.
pub(super) fn run(arguments: &Arguments, told: &mut dyn Write) -> Outcome {
    // What cannot be written to stderr is told to nobody.
    let request = request(arguments);
    let scanned = std::panic::catch_unwind(AssertUnwindSafe(|| scan(&request)));
    let failed = |_| Err("the scan failed, which is a mistake of hardpan".to_owned());
    let scanned = match scanned.unwrap_or_else(failed) {
        Ok(scanned)
            if scanned.inventory.files() == 0
                && scanned.inventory.not_evaluated.items.is_empty() =>
        {
            let _ = writeln!(told, "error: it holds no file: nothing can be proven of it");
            return Outcome::NotDone;
        }
        Ok(scanned) => scanned,
        Err(error) => {
            let _ = writeln!(told, "error: {error}");
            return Outcome::NotDone;
        }
    };
    for note in &scanned.notes {
        let _ = writeln!(told, "note: {note}");
    }
    let (report, outcome) = judged(scanned, arguments, told);
    match write(arguments, &report) {
        Ok(()) => outcome,
        Err(error) => {
            let place = arguments.output.as_ref().map(|path| path.display().to_string());
            let place = place.unwrap_or_else(|| "the report".to_owned());
            let _ = writeln!(told, "error: cannot write {place}: {error}");
            Outcome::NotDone
        }
    }
}

fn request(arguments: &Arguments) -> Request<'_> {
    Request {
        path: &arguments.path,
        base: arguments.base.as_deref(),
        platform: arguments.platform.as_deref(),
        image: arguments.image.as_deref(),
        config: arguments.config.as_deref(),
    }
}

/// What the image is judged by. A scan takes no waivers, and where something was asked for, the report
/// says so.
fn policy(profile: Option<Profile>) -> Policy {
    Policy::of_all(profile.map(|profile| Demand {
        from: Source::Option,
        profile: Some(profile),
        allowed: Some(Allowed::NONE),
        ..Demand::default()
    }))
}

/// The report, and whether something blocks.
fn judged(scanned: Scanned, arguments: &Arguments, told: &mut dyn Write) -> (Vec<u8>, Outcome) {
    let subject = Subject {
        inventory: &scanned.inventory,
        config: &scanned.config,
        platform: &scanned.platform,
        today: prepare::today(),
        writable: &[],
        base_known: scanned.is_base_known,
        input: Input::Dockerfile,
    };
    let mut judgement = harden::judge(&subject, &policy(arguments.profile));
    judgement.leave_out(&scanned.unknown);
    let outcome = if judgement.refuses() { Outcome::Mistakes } else { Outcome::Fine };
    for (check, reason) in judgement.undecided() {
        let _ = writeln!(told, "note: {} cannot be decided ({}): {reason}", check.id, check.title);
    }
    let about = About { source: scanned.source, bases: scanned.bases, ..About::default() };
    let document = Document::new(&subject, &judgement, about, |_| None::<document::Position>);
    (arguments.format.render(&document), outcome)
}

fn write(arguments: &Arguments, report: &[u8]) -> std::io::Result<()> {
    match &arguments.output {
        Some(path) => std::fs::write(path, report),
        None => std::io::stdout().lock().write_all(report),
    }
}
