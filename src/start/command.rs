//! A test that runs a command: it must end in time, with the right code and the right output.

use std::time::{Duration, Instant};

use super::answer::{Kind, Report};
use super::lower::Refused;
use super::order::{Expected, Order, Test};
use super::pattern;
use super::process::{Process, told, told_time};

/// Runs the command of a test to its end.
pub(super) fn try_it(
    order: &Order,
    test: &Test,
    (command, expected): (&[String], &Expected),
) -> Report {
    let report = Report::passed(&test.name, Kind::Run);
    let mut process = match Process::start((order, test), command, None) {
        Ok(process) => process,
        Err(refused) => return report.refused(refused),
    };
    let ended = process.ended_by(Instant::now() + Duration::from_millis(test.within));
    let output = process.end();
    let wrong = match ended {
        None => Some(format!("it does not end within {}", told_time(test.within))),
        Some(status) if status.code() != Some(expected.exit.into()) => {
            let not =
                if expected.exit == 0 { String::new() } else { format!(", not {}", expected.exit) };
            Some(format!("it {}{not}", told(status)))
        }
        Some(_) => {
            let streams = [(&expected.stdout, "output"), (&expected.stderr, "error")];
            let mut streams = streams.into_iter().enumerate();
            streams.find_map(|(number, (wanted, name))| {
                let wanted = wanted.as_ref()?;
                let is_there = pattern::holds(&output.stream(number), wanted);
                (!is_there).then(|| format!("its standard {name} does not hold {wanted:?}"))
            })
        }
    };
    match wrong {
        Some(message) => report.failed(message, output.shown()),
        None => report,
    }
}

impl Report {
    /// There is no program at all.
    pub(super) fn refused(self, refused: Refused) -> Self {
        match refused {
            Refused::Program(why) => self.failed(why, Vec::new()),
            Refused::Contract(why) => self.broken(why),
        }
    }
}
