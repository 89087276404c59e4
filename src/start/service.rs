//! A test that starts the app: it must be up in time, and is told to stop then.

use std::os::unix::process::ExitStatusExt as _;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::answer::{Kind, Report, Stop};
use super::ask;
use super::order::{Order, Service, Test};
use super::pattern::Pattern;
use super::process::{POLL, Process, told, told_time};
use super::signal;

/// What engines wait for an app to stop, before they kill it.
const GRACE: Duration = Duration::from_secs(10);

/// Starts the app, waits until it is up, and stops it.
pub(super) fn try_it(order: &Order, test: &Test, service: &Service) -> Report {
    let report = Report::passed(&test.name, Kind::Start);
    let log = service.log.as_ref().and_then(|log| Pattern::read(log).ok());
    let mut process = match Process::start((order, test), &order.command, log) {
        Ok(process) => process,
        Err(refused) => return report.refused(refused),
    };
    let deadline = Instant::now() + Duration::from_millis(test.within);
    let late = |missing| format!("it is not up after {}: {missing}", told_time(test.within));
    if let Err(message) = wait_for(service, &mut process, (deadline, &late)) {
        return report.failed(message, process.end().shown());
    }
    let stop = stop(order, service, &mut process);
    let output = process.end();
    let report = Report { stop, ..report };
    let signal = if order.stop_signal.is_empty() { "SIGTERM" } else { &order.stop_signal };
    match service.stops.and_then(|stops| unmet(stop, signal, stops)) {
        Some(message) => report.failed(message, output.shown()),
        None => report,
    }
}

/// Why the app has not ended as `stops` wants it, within so many milliseconds.
fn unmet(stop: Option<Stop>, signal: &str, stops: u64) -> Option<String> {
    let why = match stop {
        Some(Stop::InTime) => return None,
        Some(Stop::Killed) => format!("does not end within {} after {signal}", told_time(stops)),
        Some(Stop::Unheard) => {
            format!("has no handler of its own for {signal}, which process 1 of a container needs")
        }
        None => format!("{signal} cannot be sent in a test: leave `stops` out"),
    };
    Some(format!("it is up, and {why}"))
}

/// Waits until the app is up; the error says what is missing.
fn wait_for(
    service: &Service,
    process: &mut Process,
    (deadline, late): (Instant, &dyn Fn(String) -> String),
) -> Result<(), String> {
    loop {
        let missing = missing(service, process).err();
        if let Some(status) = process.ended() {
            return Err(format!("it {}", told(status)));
        }
        let Some(missing) = missing else { return Ok(()) };
        if Instant::now() >= deadline {
            return Err(late(missing));
        }
        thread::sleep(POLL);
    }
}

fn missing(service: &Service, process: &Process) -> Result<(), String> {
    if let Some(log) = service.log.as_ref().filter(|_| !process.output.is_found()) {
        return Err(format!("no line of its output holds {log:?}"));
    }
    if let Some(port) = service.ports.iter().find(|port| !ask::is_open(**port)) {
        return Err(format!("nothing listens on port {port}"));
    }
    service.http.as_ref().map_or(Ok(()), ask::answers)
}

/// Tells the app to stop and waits for its end; `None`: its signal cannot be sent.
fn stop(order: &Order, service: &Service, process: &mut Process) -> Option<Stop> {
    let signal = signal::parse(&order.stop_signal)?;
    process.signal(signal);
    let grace = service.stops.map_or(GRACE, Duration::from_millis);
    let ended = process.ended_by(Instant::now() + grace);
    Some(match ended.map(|status| status.signal()) {
        None => Stop::Killed,
        Some(Some(number)) if number == signal.as_raw() && signal != Signal::KILL => Stop::Unheard,
        Some(_) => Stop::InTime,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_asked_for_is_tried() {
        assert_eq!(unmet(Some(Stop::InTime), "SIGTERM", 5_000), None);
        for (stop, signal, message) in [
            (Some(Stop::Killed), "SIGINT", "it is up, and does not end within 5 s after SIGINT"),
            (
                Some(Stop::Unheard),
                "SIGTERM",
                "it is up, and has no handler of its own for SIGTERM, which process 1 of a container needs",
            ),
            (
                None,
                "SIGRTMIN+3",
                "it is up, and SIGRTMIN+3 cannot be sent in a test: leave `stops` out",
            ),
        ] {
            assert_eq!(unmet(stop, signal, 5_000).as_deref(), Some(message));
        }
    }
}
