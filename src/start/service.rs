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
    let Some((stop, stops)) = stop.zip(service.stops) else { return report };
    match stop {
        Stop::Killed => {
            let within = told_time(stops);
            let message = format!("it is up, and does not end within {within} after {signal}");
            report.failed(message, output.shown())
        }
        Stop::Unheard => report.failed(
            format!("it is up, and has no handler of its own for {signal}, which process 1 of a container needs"),
            output.shown(),
        ),
        Stop::InTime => report,
    }
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

/// Tells the app to stop and waits for its end.
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
