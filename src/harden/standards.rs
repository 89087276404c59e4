//! What several checks are evidence for, by the numbers of the standards. The reports have a row for
//! each of them.

pub(super) const ROOT: &[&str] = &[
    "CIS Docker 4.1",
    "CCI-002235",
    "NIST 800-53 AC-6",
    "NIST 800-190 4.1.2",
    "K8s PSS restricted",
    "NSA Kubernetes 1.0",
];
pub(super) const OVERFLOWS: &[&str] =
    &["CVE-2024-40635", "CVE-2026-46680", "NIST 800-53 AC-6", "NIST 800-190 4.1.2"];
pub(super) const SETTINGS: &[&str] = &["NIST 800-53 CM-6"];
pub(super) const LEAST: &[&str] = &["NIST 800-53 CM-7", "NIST 800-190 4.1.2"];
pub(super) const SHELL_FREE: &[&str] =
    &["CIS Docker 4.3", "CCI-000381", "NIST 800-53 CM-7", "NIST 800-190 4.1.2"];
pub(super) const INTEGRITY: &[&str] = &["NIST 800-53 SI-7", "NIST 800-53 AC-6"];
pub(super) const SECRETS: &[&str] =
    &["CIS Docker 4.10", "CCI-002367", "NIST 800-53 IA-5(7)", "NIST 800-190 4.1.4"];
/// Of what a build says about itself.
pub(super) const TOLD_SECRETS: &[&str] =
    &["CIS Docker 4.10", "CCI-000366", "CCI-002367", "NIST 800-53 IA-5(7)", "NIST 800-190 4.1.4"];
pub(super) const SUPPLY: &[&str] = &["NIST 800-53 SR-4", "NIST 800-190 4.1.5"];

pub(super) const SIGNED: &[&str] =
    &["CIS Docker 4.12", "NIST 800-53 SI-7", "NIST 800-53 SR-11", "NIST 800-190 4.1.5"];
pub(super) const FETCHED: &[&str] = &["CIS Docker 4.11", "NIST 800-53 SI-7", "NIST 800-53 SR-4"];
pub(super) const PLACED: &[&str] = &["CCI-002617", "NIST 800-53 CM-7", "NIST 800-190 4.1.4"];
pub(super) const STATEMENTS: &[&str] =
    &["NIST 800-53 CM-8", "NIST 800-53 SR-4", "NIST 800-190 4.1.1"];
