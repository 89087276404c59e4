//! A test that starts the app: it must be up in time, and is told to stop then.

use std::thread;
use std::time::{Duration, Instant};

use super::answer::{Kind, Report, Stop};
use super::ask;
use super::order::{Order, Service, Test};
use super::pattern::Pattern;
use super::process::{POLL, Process, told};
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
    if let Err(message) = wait_for(service, &mut process, deadline) {
        return report.failed(message, process.end().shown());
    }
    let stop = stop(order, service, &mut process);
    let output = process.end();
    let report = Report { stop, ..report };
    let signal = if order.stop_signal.is_empty() { "SIGTERM" } else { &order.stop_signal };
    match stop.filter(|_| service.stops.is_some()) {
        Some(Stop::Killed) => {
            report.failed(format!("it is up, and does not end on {signal}"), output.shown())
        }
        Some(Stop::Unheard) => report.failed(
            format!("it is up, and has no handler for {signal}: as process 1 of a container it would not end"),
            output.shown(),
        ),
        Some(Stop::InTime) | None => report,
    }
}

/// Waits until the app is up; the error says what is missing.
fn wait_for(service: &Service, process: &mut Process, deadline: Instant) -> Result<(), String> {
    loop {
        let missing = missing(service, process).err();
        if let Some(status) = process.ended() {
            return Err(format!("it {}", told(status)));
        }
        let Some(missing) = missing else { return Ok(()) };
        if Instant::now() >= deadline {
            return Err(missing);
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

/// Tells the app to stop and waits for its end.
fn stop(order: &Order, service: &Service, process: &mut Process) -> Option<Stop> {
    let signal = signal::parse(&order.stop_signal)?;
    if !order.emulated && !process.hears(signal) && process.ended().is_none() {
        return Some(Stop::Unheard);
    }
    process.signal(signal);
    let grace = service.stops.map_or(GRACE, Duration::from_millis);
    let ended = process.ended_by(Instant::now() + grace);
    Some(if ended.is_some() { Stop::InTime } else { Stop::Killed })
}
