//! The keys of the items of `test`.

use super::{COMMAND, DURATION, Key, Kind, Merges, Shape, VARIABLES};

/// A port alone: what is asked is TCP.
const PORT: Kind = Kind::Pattern("^[0-9]{1,5}$");
/// Text that is looked for, or a pattern between slashes.
const FOUND: Kind = Kind::Text;

const ENV: Key =
    key!("env", VARIABLES, "{LOG_LEVEL: debug}", "Variables of this test, besides the image's");
const WITHIN: Key = key!("within", DURATION, "1m", "How long it may take; 30s by default");

/// Words of other tools for the same things.
const TIMEOUT: (&str, &str) = ("timeout", "write `within`");
const OUTPUT: (&str, &str) = ("output", "write `stdout`, or `stderr`");

/// A test that runs a command.
pub(in crate::spec) static TEST_RUN: Shape = Shape {
    name: "test-run",
    title: "a `run` test",
    doc: "Runs a command in the finished image, as its user",
    keys: &[&[
        key!(required "run", COMMAND, "[node, --version]", "What is run, as a list"),
        key!(
            "exit",
            Kind::Pattern("^[0-9]{1,3}$"),
            "2",
            "The exit code that it must have; 0 by default"
        ),
        key!(
            "stdout",
            FOUND,
            "/^v24\\./",
            "Text that its standard output must hold, or a `/pattern/`"
        ),
        key!("stderr", FOUND, "usage", "Text that its standard error must hold, or a `/pattern/`"),
        WITHIN,
        ENV,
    ]],
    later: &[],
    instead: &[
        TIMEOUT,
        OUTPUT,
        ("http", "it belongs to a `start` test: `- {start: true, http: 8080/healthz}`"),
        ("port", "it belongs to a `start` test: `- {start: true, port: 8080}`"),
        ("log", "it belongs to a `start` test: `- {start: true, log: ready}`"),
        ("command", "write `run`"),
        ("exit_code", "write `exit`"),
        ("exitcode", "write `exit`"),
        ("code", "write `exit`"),
    ],
    merges: Merges::Never,
};

/// A test that starts the app.
pub(in crate::spec) static TEST_START: Shape = Shape {
    name: "test-start",
    title: "a `start` test",
    doc: "Starts the app under the runtime contract, waits until it is up, and stops it",
    keys: &[&[
        key!(required "start", Kind::Flag, "true", "`true`: starts what the image starts"),
        key!(
            "http",
            Kind::Any(&[Kind::Pattern("^[0-9]{1,5}(/[^ ]*)?$"), Kind::Shape(&TEST_HTTP)]),
            "8080/healthz",
            "What must be answered over HTTP with a status from 200 to 299: a port and a path",
        ),
        key!("port", Kind::OneOrMore(&PORT), "8080", "The ports that must be open"),
        key!(
            "log",
            FOUND,
            "listening on",
            "Text that must be in a line of its output, or a `/pattern/`"
        ),
        WITHIN,
        key!("stops", DURATION, "10s", "The time within which it must end when it is told to stop"),
        ENV,
    ]],
    later: &[],
    instead: &[
        TIMEOUT,
        OUTPUT,
        ("stdout", "write `log`"),
        ("stderr", "write `log`"),
        ("https", "the test asks without certificates: write `http`, or `port`"),
        ("tcp", "write `port`"),
        ("wait", "write `within`"),
        ("exit", "it belongs to a `run` test: `- {run: [node, --version], exit: 0}`"),
        ("status", "write it below `http`: `http: {port: 8080, path: /, status: 204}`"),
        ("path", "write it behind the port: `http: 8080/healthz`"),
        ("stopsignal", "it belongs to the app, beside `test`"),
    ],
    merges: Merges::Never,
};

/// `http` of a `start` test in its long form.
pub(in crate::spec) static TEST_HTTP: Shape = Shape {
    name: "test-http",
    title: "`http` of a test",
    doc: "What is asked over HTTP, and what must be answered",
    keys: &[&[
        key!(required "port", PORT, "8080", "The port"),
        key!("path", Kind::Pattern("^/[^ ]*$"), "/healthz", "The path; `/` by default"),
        key!(
            "status",
            Kind::Pattern("^[1-5][0-9]{2}$"),
            "204",
            "The status of the answer; any from 200 to 299 by default"
        ),
        key!("body", FOUND, "ok", "Text that the answer must hold, or a `/pattern/`"),
    ]],
    later: &[],
    instead: &[
        ("url", "write `port` and `path`"),
        ("code", "write `status`"),
        ("contains", "write `body`"),
    ],
    merges: Merges::Never,
};
