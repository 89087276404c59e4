//! Numbers as people write them: permissions, ports, durations, counts.

use crate::diagnostic::{Diagnostic, Text};

use super::invalid;
use crate::words::quoted;

/// Octal permissions: `0755`, `755`, `0o755`.
pub fn mode(text: &Text) -> Result<u32, Diagnostic> {
    let written = text.value.as_str();
    let digits = written.strip_prefix("0o").unwrap_or(written);
    let octal = !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let value = if octal { u32::from_str_radix(digits, 8).ok() } else { None };
    match value {
        Some(value @ 0..=0o777) => Ok(value),
        Some(0o1000..=0o7777) => Err(invalid(
            text,
            format!("the mode {} has a set-id or sticky bit", quoted(written)),
            "nothing in a hardened image needs one; write three digits, such as `0755`",
        )),
        _ => Err(invalid(
            text,
            format!("{} is not a mode", quoted(written)),
            "write the permissions as octal digits, such as `0755` or `0644`",
        )),
    }
}

/// A port with an optional end and protocol: `8080`, `53/udp`, `8000-8010`.
pub fn port(text: &Text) -> Result<(), Diagnostic> {
    let written = text.value.as_str();
    let (range, protocol) = written.split_once('/').unwrap_or((written, "tcp"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    if written.contains(':') {
        return Err(invalid(
            text,
            format!("{} publishes a port", quoted(written)),
            "write the port that the app listens on; it is published when the image is run, with `-p`",
        ));
    }
    if !matches!(protocol, "tcp" | "udp" | "sctp") {
        return Err(invalid(
            text,
            format!("{} is not a protocol", quoted(protocol)),
            "the protocols are `tcp`, `udp` and `sctp`",
        ));
    }
    match (port_number(first), port_number(last)) {
        (Some(first), Some(last)) if first <= last => Ok(()),
        (Some(_), Some(_)) => Err(invalid(
            text,
            format!("the range {} ends before it starts", quoted(range)),
            format!("write `{last}-{first}`"),
        )),
        _ => Err(invalid(
            text,
            format!("{} is not a port", quoted(written)),
            "write a number from 1 to 65535, a range such as `8000-8010`, or a port and its protocol such as `53/udp`",
        )),
    }
}

/// A number from 1 to 65535.
pub(super) fn port_number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

/// A count from 1.
pub fn count(text: &Text) -> Result<u32, Diagnostic> {
    let written = text.value.as_str();
    let digits = written.bytes().all(|byte| byte.is_ascii_digit());
    match written.parse::<u32>() {
        Ok(count) if digits && (1..=1_000_000).contains(&count) => Ok(count),
        _ => Err(invalid(
            text,
            format!("{} is not a count", quoted(written)),
            "write a number from 1, such as `3`",
        )),
    }
}

/// In nanoseconds: no duration is shorter.
pub const MILLISECOND: u64 = 1_000_000;

/// A duration such as `30s` or `1m30s`, in nanoseconds.
pub fn duration(text: &Text) -> Result<u64, Diagnostic> {
    let written = text.value.as_str();
    if written == "0" {
        return Ok(0);
    }
    let wrong = || {
        let help = if !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("write its unit: `{written}s`")
        } else {
            "write numbers with their units, such as `30s`, `1m30s` or `500ms`".to_owned()
        };
        invalid(text, format!("{} is not a duration", quoted(written)), help)
    };
    let mut total: u64 = 0;
    let mut rest = written;
    while !rest.is_empty() {
        let number_end = rest
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .ok_or_else(wrong)?;
        let (number, behind) = rest.split_at(number_end);
        let unit_end = behind
            .find(|character: char| character.is_ascii_digit() || character == '.')
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        let part = nanoseconds(number, unit).ok_or_else(wrong)?;
        total = total
            .checked_add(part)
            .filter(|total| *total <= i64::MAX.unsigned_abs())
            .ok_or_else(wrong)?;
        rest = behind;
    }
    if total == 0 || written.is_empty() {
        return Err(wrong());
    }
    if total < MILLISECOND {
        return Err(invalid(
            text,
            format!("{} is less than a millisecond", quoted(written)),
            "write at least `1ms`, or `0` for the default",
        ));
    }
    Ok(total)
}

/// `1.5` and `s` → 1,500,000,000. Digits that are finer than a nanosecond are cut off.
fn nanoseconds(number: &str, unit: &str) -> Option<u64> {
    let scale: u64 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let fraction = fraction.get(..fraction.len().min(9))?;
    let power = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    // `scale` has up to 13 digits and `fraction` up to 9: the product needs more than 64 bits.
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(scale) / u128::from(power);
    whole.parse::<u64>().ok()?.checked_mul(scale)?.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn text(value: &str) -> Text {
        Text::new(value.to_owned(), Span::START)
    }

    #[test]
    fn modes_are_octal_however_they_are_written() {
        for (written, value) in [
            ("0755", Some(0o755)),
            ("755", Some(0o755)),
            ("0o755", Some(0o755)),
            ("0", Some(0)),
            ("00644", Some(0o644)),
            ("4755", None),
            ("01777", None),
            ("789", None),
            ("", None),
            ("0o", None),
            ("+755", None),
            ("u+x", None),
            ("-1", None),
            ("77777777777777", None),
        ] {
            assert_eq!(mode(&text(written)).ok(), value, "{written}");
        }
    }

    #[test]
    fn ports_have_a_range_and_a_protocol() {
        for (written, fine) in [
            ("8080", true),
            ("53/udp", true),
            ("8000-8010", true),
            ("8000-8010/tcp", true),
            ("65535", true),
            ("0", false),
            ("65536", false),
            ("8080:80", false),
            ("80/http", false),
            ("80/", false),
            ("9-8", false),
            ("-8", false),
            ("+80", false),
            ("http", false),
            ("", false),
        ] {
            assert_eq!(port(&text(written)).is_ok(), fine, "{written}");
        }
    }

    #[test]
    fn durations_have_units() {
        for (written, value) in [
            ("30s", Some(30_000_000_000)),
            ("1m30s", Some(90_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("500ms", Some(500_000_000)),
            ("2h", Some(7_200_000_000_000)),
            ("0", Some(0)),
            ("30", None),
            ("s", None),
            ("", None),
            ("1.s", None),
            (".5s", None),
            ("1.2.3s", None),
            ("5 s", None),
            ("1d", None),
            ("-1s", None),
            ("0s", None),
            ("999us", None),
            ("99999999999999999999h", None),
            ("2562047h48m", None),
        ] {
            assert_eq!(duration(&text(written)).ok(), value, "{written}");
        }
    }

    #[test]
    fn counts_start_at_one() {
        for (written, value) in [
            ("1", Some(1)),
            ("30", Some(30)),
            ("0", None),
            ("-1", None),
            ("+1", None),
            ("x", None),
            ("9999999999", None),
        ] {
            assert_eq!(count(&text(written)).ok(), value, "{written}");
        }
    }
}
