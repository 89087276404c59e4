//! The signal that stops an app: its name and its number.

use rustix::process::Signal;

/// Names and numbers, which are the same on every processor that images are made for.
const NAMES: [(&str, i32); 30] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
];

/// The signal of an image: empty is SIGTERM. `None` for real-time signals, which are not sent here.
pub(super) fn parse(written: &str) -> Option<Signal> {
    let name = written.strip_prefix("SIG").unwrap_or(written);
    let number = match name {
        "" => Some(15),
        "SYS" => Some(31),
        name => NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number),
    };
    Signal::from_named_raw(number.or_else(|| name.parse().ok())?)
}

/// What people call a signal.
pub(super) fn name(number: i32) -> String {
    match NAMES.iter().find(|(_, known)| *known == number) {
        Some((name, _)) => format!("SIG{name}"),
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
            ("2", Some(Signal::INT)),
            ("SIGRTMIN+3", None),
            ("37", None),
        ] {
            assert_eq!(parse(written), signal, "{written}");
        }
        assert_eq!((name(9), name(40)), ("SIGKILL".to_owned(), "signal 40".to_owned()));
    }
}
