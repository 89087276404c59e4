//! The keys of `harden`, of its waivers, and of the file that whoever builds hands over as a policy.

use super::{Key, Kind, Merges, Shape};

/// The names of all profiles, the strictest last but for those of a place.
pub(in crate::spec) const PROFILES: &[&str] = &["standard", "strict", "openshift", "disa"];
/// The id of a check.
const CHECK: Kind = Kind::Fixed("^[A-Z]+-[0-9]{2}$");
/// Which waivers of a file count.
pub(in crate::spec) const FORBID: &str = "forbid";
pub(in crate::spec) const ALLOW: &str = "allow";

const WAIVERS: Kind = Kind::List(&Kind::Shape(&WAIVER));

/// `harden` in its long form.
pub(in crate::spec) static HARDEN: Shape = Shape {
    name: "harden",
    title: "`harden`",
    doc: "How strict the gate is, and which of its findings are accepted",
    keys: &[&[
        key!("profile", Kind::Words(PROFILES), "strict", "How strict the gate is"),
        key!(
            "waivers",
            WAIVERS,
            "[{check: PKG-05, path: /usr/bin/nc, reason: the probe needs it, owner: ops@acme.example, expires: 2027-03-31}]",
            "Findings that somebody answers for"
        ),
    ]],
    later: &[],
    instead: &[
        ("waiver", "write `waivers`"),
        ("ignore", "write `waivers`"),
        ("exceptions", "write `waivers`"),
        ("require", "checks are required by whoever builds: `HARDPAN_REQUIRE`"),
    ],
    merges: Merges::ByKey,
};

/// One waiver.
pub(in crate::spec) static WAIVER: Shape = Shape {
    name: "waiver",
    title: "a waiver",
    doc: "Findings of one check that somebody answers for, until a day",
    keys: &[&[
        key!(required "check", CHECK, "PKG-05", "The check whose findings it covers"),
        key!(
            "path",
            Kind::Text,
            "/usr/bin/nc",
            "The paths that it covers, with `*`, `?` and `**`; without it, findings that have no path",
        ),
        key!(required "reason", Kind::Text, "the probe of the old cluster needs it", "Why they are accepted"),
        key!(required "owner", Kind::Text, "ops@acme.example", "Who answers for it"),
        key!(
            required "expires",
            Kind::Fixed("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
            "2027-03-31",
            "The last day on which it counts",
        ),
        key!(
            "dangerously",
            Kind::Flag,
            "true",
            "That it lets root, a shell or a set-id program through, for checks where it does",
        ),
    ]],
    later: &[],
    instead: &[
        ("id", "write `check`"),
        ("rule", "write `check`"),
        ("checks", "write one waiver for each `check`"),
        ("paths", "write `path` with `*` or `**`, or one waiver for each"),
        ("glob", "write `path`"),
        ("why", "write `reason`"),
        ("by", "write `owner`"),
        ("until", "write `expires`"),
        ("expiry", "write `expires`"),
    ],
    merges: Merges::Never,
};

/// The file of a policy.
pub(in crate::spec) static POLICY: Shape = Shape {
    name: "policy",
    title: "a policy",
    doc: "What whoever builds asks of every file",
    keys: &[&[
        key!("profile", Kind::Words(PROFILES), "strict", "How strict the gate is at least"),
        key!(
            "waivers",
            Kind::Any(&[Kind::Words(&[FORBID, ALLOW]), Kind::List(&CHECK)]),
            "forbid",
            "Whether waivers of the files count, or of which checks",
        ),
        key!(
            "require",
            Kind::OneOrMore(&Kind::Any(&[CHECK, Kind::Words(&["test"])])),
            "[USR-01, SUP-04, test]",
            "Checks that have to hold whatever the profile says; `test`: that the image was tested"
        ),
        key!(
            "waive",
            WAIVERS,
            "[{check: PKG-05, path: /usr/bin/nc, reason: the probe needs it, owner: ops@acme.example, expires: 2027-03-31}]",
            "Findings that are accepted in every file"
        ),
    ]],
    later: &[],
    instead: &[
        ("required", "write `require`"),
        ("waiver", "write `waivers: forbid`, or `waive` with a list of waivers"),
        ("exceptions", "write `waive`"),
    ],
    merges: Merges::Never,
};
