//! What was proven, in one line.

use super::access::who;
use super::programs::chosen;
use super::{Judgement, Profile, Status, Subject};

/// One line for the name of the last step: what holds for this image.
///
/// Says only what the checks have shown; whatever failed or was not evaluated is left out.
pub fn summary(subject: &Subject<'_>, judgement: &Judgement) -> String {
    let holds = |ids: &[&str]| {
        judgement
            .checks
            .iter()
            .all(|(id, status)| !ids.contains(&id.0) || *status == Status::Passed)
            && !judgement.findings.iter().any(|finding| ids.contains(&finding.check.0))
    };
    let mut parts = Vec::new();
    let identity = who(subject);
    if let Ok(who) = &identity
        && holds(&["USR-01", "USR-02", "USR-03", "USR-05"])
    {
        parts.push(format!("runs as {}:{}", who.uid, who.gid));
    }
    if holds(&["SHL-02", "SHL-03", "SHL-04"]) {
        parts.push(format!("no shell in {} files", thousands(subject.inventory.files())));
    }
    if let (Ok(who), Some(command)) = (&identity, &subject.inventory.entrypoint)
        && holds(&["RUN-01", "RUN-02", "RUN-03", "RUN-04", "RUN-05"])
        && let Some(target) = chosen(who, command).and_then(|lookup| lookup.found.as_ref())
    {
        parts.push(format!("entrypoint {} executable", target.path));
    }
    if parts.is_empty() {
        parts.push("nothing was proven".to_owned());
    }
    parts.extend(conditions(judgement));
    parts.join(", ")
}

/// What the proof is worth: another profile than the usual one, and what was excused.
fn conditions(judgement: &Judgement) -> Vec<String> {
    let profile = judgement.profile();
    let profile = (profile != Profile::default()).then(|| format!("profile {}", profile.name()));
    let waived = match judgement.waived() {
        0 => None,
        1 => Some("1 finding waived".to_owned()),
        count => Some(format!("{} findings waived", thousands(count as u64))),
    };
    profile.into_iter().chain(waived).collect()
}

/// `4,123`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(thousands(number), text);
        }
    }
}
