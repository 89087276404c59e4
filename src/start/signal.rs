//! The signal that stops an app: its name and its number.

use rustix::process::Signal;

/// Names and numbers, which are the same on every processor that images are made for.
pub const NAMES: [(&str, i32); 31] = [
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGSTKFLT", 16),
    ("SIGCHLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGURG", 23),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
    ("SIGIO", 29),
    ("SIGPWR", 30),
    ("SIGSYS", 31),
];

/// The signal of an image: empty is SIGTERM. `None` for real-time signals, which are not sent here.
pub(super) fn parse(written: &str) -> Option<Signal> {
    if written.is_empty() {
        return Some(Signal::TERM);
    }
    let is_it = |known: &str| known == written || known.strip_prefix("SIG") == Some(written);
    let number = NAMES.iter().find(|(known, _)| is_it(known)).map(|(_, number)| *number);
    Signal::from_named_raw(number.or_else(|| written.parse().ok())?)
}

/// What people call a signal.
pub(super) fn name(number: i32) -> String {
    match NAMES.iter().find(|(_, known)| *known == number) {
        Some((name, _)) => (*name).to_owned(),
        None => format!("signal {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for (written, signal) in [
            ("", Some(Signal::TERM)),
            ("SIGTERM", Some(Signal::TERM)),
            ("TERM", Some(Signal::TERM)),
            ("SIGQUIT", Some(Signal::QUIT)),
            ("SIGSYS", Some(Signal::SYS)),
            ("2", Some(Signal::INT)),
            ("SIGRTMIN+3", None),
            ("37", None),
        ] {
            assert_eq!(parse(written), signal, "{written}");
        }
        assert_eq!([name(9), name(31), name(40)], ["SIGKILL", "SIGSYS", "signal 40"]);
    }
}
