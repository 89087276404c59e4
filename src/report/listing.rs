//! Which findings a document lists: the heaviest of each check, as many of each as fit.
//!
//! In: all findings. Out: at most `MAX_FINDINGS` of a check, those that count and weigh most, and
//! `MAX_BYTES` together, in their order, and what is missing. Every check keeps as many as any other, so that none hides another.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::document::{FindingEntry, MAX_BYTES, MAX_FINDINGS, Position, Truncated};
use crate::harden::{Finding, Origin};

/// The findings that are listed, and what is missing.
pub(super) fn listed(
    findings: &[Finding],
    position: impl Fn(&Finding) -> Option<Position>,
) -> (Vec<FindingEntry>, Option<Truncated>) {
    let entries = numbered(findings).filter(|(nth, _)| *nth < MAX_FINDINGS);
    let mut entries: Vec<(usize, FindingEntry)> =
        entries.map(|(nth, finding)| (nth, entry(finding, position(finding)))).collect();
    let mut per_check = MAX_FINDINGS;
    while bytes(&entries) > MAX_BYTES {
        per_check /= 2;
        entries.retain(|(nth, _)| *nth < per_check);
    }
    let (found, listed) = (findings.len(), entries.len());
    let truncated = (listed < found).then_some(Truncated { found, listed, per_check });
    (entries.into_iter().map(|(_, entry)| entry).collect(), truncated)
}

/// Each finding with its number among those of its check, from 0: first those that count, the
/// heaviest first, so that no long list of what is waived or light hides one that refuses the image.
fn numbered(findings: &[Finding]) -> impl Iterator<Item = (usize, &Finding)> {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|index| {
        let one = &findings[*index];
        (one.waived.is_some(), Reverse(one.severity))
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut numbers = vec![0; findings.len()];
    for index in order {
        let count = counts.entry(findings[index].check.0).or_default();
        numbers[index] = *count;
        *count += 1;
    }
    numbers.into_iter().zip(findings)
}

fn bytes(entries: &[(usize, FindingEntry)]) -> usize {
    let size = |(_, entry): &_| serde_json::to_vec(entry).map_or(0, |json: Vec<u8>| json.len());
    entries.iter().map(size).sum()
}

fn entry(finding: &Finding, position: Option<Position>) -> FindingEntry {
    let (origin, layer, field) = match finding.origin {
        Origin::Base => ("base", None, None),
        Origin::App { layer } => ("app", Some(layer), None),
        Origin::Image => ("image", None, None),
        Origin::Config(field) => ("app", None, Some(field.to_owned())),
    };
    FindingEntry {
        check: finding.check.0.to_owned(),
        severity: finding.severity.into(),
        origin: origin.to_owned(),
        layer,
        field,
        entry: finding.entry.clone(),
        path: finding.path.clone(),
        message: finding.message.clone(),
        help: finding.help.clone(),
        position,
        waiver: finding.waived,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harden::{CheckId, Severity};

    fn finding(check: &'static str, number: usize, bytes: usize) -> Finding {
        Finding {
            check: CheckId(check),
            severity: Severity::Warn,
            origin: Origin::App { layer: 0 },
            entry: None,
            path: Some(format!("/{number}/{}", "x".repeat(bytes))),
            message: "no".to_owned(),
            help: "yes".to_owned(),
            also: Vec::new(),
            more: false,
            waived: None,
        }
    }

    fn many(check: &'static str, count: usize, bytes: usize) -> Vec<Finding> {
        (0..count).map(|number| finding(check, number, bytes)).collect()
    }

    fn counts(findings: &[Finding]) -> (BTreeMap<String, usize>, Option<Truncated>) {
        let (entries, truncated) = listed(findings, |_| None);
        let json = serde_json::to_vec(&entries).unwrap();
        assert!(json.len() <= MAX_BYTES + entries.len() + 2, "{}", json.len());
        let mut counts = BTreeMap::new();
        for entry in entries {
            *counts.entry(entry.check).or_default() += 1;
        }
        (counts, truncated)
    }

    #[test]
    fn all_that_fit_are_listed_in_their_order() {
        let findings = [many("SHL-02", 3, 5), many("PKG-01", 2, 5)].concat();
        let (entries, truncated) = listed(&findings, |_| None);
        assert_eq!(truncated, None);
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.clone()).collect();
        assert_eq!(paths, findings.iter().map(|one| one.path.clone()).collect::<Vec<_>>());
    }

    #[test]
    fn of_one_check_the_first_thousand_are_listed() {
        let findings = [many("SHL-02", 1_001, 0), many("PKG-01", 2, 0)].concat();
        let (counts, truncated) = counts(&findings);
        assert_eq!((counts["SHL-02"], counts["PKG-01"]), (1_000, 2));
        let expected = Truncated { found: 1_003, listed: 1_002, per_check: 1_000 };
        assert_eq!(truncated, Some(expected));
        assert_eq!(listed(&findings[1..], |_| None).1, None);
    }

    #[test]
    fn what_refuses_the_image_is_not_hidden_by_what_is_waived_or_light() {
        let mut findings = many("SHL-02", 1_002, 0);
        findings[..500].iter_mut().for_each(|one| one.waived = Some(0));
        findings[1_001].severity = Severity::Block;
        let (entries, _) = listed(&findings, |_| None);
        assert_eq!(entries.last().map(|one| one.severity.name()), Some("block"));
        assert_eq!(entries.iter().filter(|one| one.waiver.is_some()).count(), 498);
    }

    #[test]
    fn long_paths_leave_fewer_of_each_check_and_some_of_all() {
        let all = [many("SHL-02", 900, 4_000), many("PKG-01", 900, 4_000), many("RUN-01", 1, 9)];
        let (counts, truncated) = counts(&all.concat());
        let Truncated { found, listed, per_check } = truncated.unwrap();
        assert_eq!((found, listed, per_check), (1_801, 251, 125));
        assert_eq!((counts["SHL-02"], counts["PKG-01"], counts["RUN-01"]), (125, 125, 1));
    }
}
