//! The life of a frontend process: connect, build, return once, exit.
//!
//! A bug must not look like "exit code: 1": a panic is caught and returned as a failure, at the
//! user's file if it is known. The process ends at once when the builder is gone or asks it to
//! stop, and its exit code is never 0 unless a result was returned.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::{Error, Gateway, connection, status};
use crate::proto::{Status, frontend::Result as BuildResult};

/// Not started by a builder.
const USAGE: u8 = 2;
/// 128 and the number of the signal, as shells count.
const TERMINATED: u8 = 143;

/// What somebody should do who starts this mode by hand.
const ADVICE: &str =
    "this mode is for BuildKit: use it with `docker buildx build`, by the first line of a spec";

/// How long an answer may take that was sent before the builder hung up.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Where the last panic happened; the hook knows it, the catcher does not.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Runs one build for the builder that started this process. `build` gives a result or a failure;
/// either is returned exactly once.
pub fn serve<F, T, E>(build: F) -> ExitCode
where
    F: AsyncFnOnce(&Gateway) -> Result<T, E>,
    T: Into<BuildResult>,
    E: Into<Status>,
{
    std::panic::set_hook(Box::new(remember));
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(1, &format!("no runtime: {error}")),
    };
    let code = runtime.block_on(async {
        let (stream, hung_up) = match connection::take_stdio() {
            Ok(taken) => taken,
            Err(error) => {
                return complain(USAGE, &format!("{}; {ADVICE}", Error::NotABuilder(error)));
            }
        };
        tokio::select! {
            biased;
            () = termination() => ExitCode::from(TERMINATED),
            code = over(stream, build) => code,
            () = abandoned(hung_up) => complain(1, "the builder closed the connection"),
        }
    });
    runtime.shutdown_background();
    code
}

async fn over<S, F, T, E>(stream: S, build: F) -> ExitCode
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: AsyncFnOnce(&Gateway) -> Result<T, E>,
    T: Into<BuildResult>,
    E: Into<Status>,
{
    match Gateway::over(stream).await {
        Ok(gateway) => run(gateway, build).await,
        Err(error) => complain(1, &error.to_string()),
    }
}

/// Ends a while after the builder hung up: its last words may still be on their way, among them
/// that it took our result.
async fn abandoned(hung_up: impl Future<Output = ()>) {
    hung_up.await;
    tokio::time::sleep(LAST_WORDS).await;
}

/// One build over a connection: what `serve` does once it has one.
pub async fn run<F, T, E>(gateway: Gateway, build: F) -> ExitCode
where
    F: AsyncFnOnce(&Gateway) -> Result<T, E>,
    T: Into<BuildResult>,
    E: Into<Status>,
{
    let outcome = caught(build(&gateway)).await;
    let (returned, code) = match outcome {
        Ok(Ok(result)) => (gateway.return_result(result.into()).await, ExitCode::SUCCESS),
        Ok(Err(failure)) => (gateway.return_error(failure.into()).await, ExitCode::FAILURE),
        Err(bug) => (gateway.return_error(bug).await, ExitCode::FAILURE),
    };
    match returned {
        Ok(()) => code,
        Err(error) => complain(1, &error.to_string()),
    }
}

/// A panic of the build as a failure to return.
async fn caught<T>(build: impl Future<Output = T>) -> Result<T, Status> {
    let mut build = pin!(build);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| build.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(payload) => std::task::Poll::Ready(Err(bug(payload.as_ref()))),
    })
    .await
}

fn bug(payload: &(dyn Any + Send)) -> Status {
    let place = LAST_PANIC.lock().ok().and_then(|mut last| last.take());
    let what = place.unwrap_or_else(|| message_of(payload));
    let message = format!(
        "error[{}]: hardpan stopped because of a fault of its own: {}\n  help: please report it \
         at {}/issues together with the file that you build",
        crate::diagnostic::Code::Internal,
        status::escape(&what),
        env!("CARGO_PKG_REPOSITORY"),
    );
    status::failure(message)
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// The panic hook. stderr is the builder's log; stdout is the wire.
fn remember(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|at| format!(" ({}:{})", at.file(), at.line()));
    let text = message_of(panic.payload()) + &place.unwrap_or_default();
    eprintln!("hardpan: panic: {text}");
    if let Ok(mut last) = LAST_PANIC.lock() {
        *last = Some(text);
    }
}

/// As the first process of a container nothing stops us unless we listen.
async fn termination() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn complain(code: u8, message: &str) -> ExitCode {
    eprintln!("hardpan: {message}");
    ExitCode::from(code)
}
