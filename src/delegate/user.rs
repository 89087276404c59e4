//! The user of a Dockerfile as numbers: found in the image's own passwd and group by the inventory,
//! as Docker would find it when the container starts.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::inspect::evidence::WhoRuns;
use crate::words::quoted;

/// `uid:gid` for a user that is anything else; `None` where there is nothing to change: it is
/// written so already, or the image will be refused because of it.
pub(super) fn as_numbers(user: &str, who: &WhoRuns) -> Option<String> {
    let WhoRuns::Known(identity) = who else { return None };
    let numbers = format!("{}:{}", identity.uid, identity.gid);
    (identity.uid != 0 && numbers != user).then_some(numbers)
}

/// A name brings the groups that list it as a member; numbers bring none. Takes them off, so that
/// the image is judged as it will run, and says so.
pub(super) fn lost_groups(user: &str, who: &mut WhoRuns) -> Option<Diagnostic> {
    let WhoRuns::Known(identity) = who else { return None };
    let (uid, gid) = (identity.uid, identity.gid);
    let mut groups = std::mem::take(&mut identity.groups);
    groups.retain(|group| *group != gid);
    if groups.is_empty() {
        return None;
    }
    let list = groups.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let message = format!(
        "user {} is also in the groups {list}; written as {uid}:{gid} it is not",
        quoted(user)
    );
    let help = "give what the app needs to its own user or group, or add the groups where it runs \
                (`docker run --group-add`, `supplementalGroups`)";
    Some(Diagnostic::warning(Code::LostGroups, Span::START, message).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::accounts::Accounts;

    fn who(user: &str) -> WhoRuns {
        let passwd = "root:x:0:0::/:\ntoor:x:0:0::/:\nnode:x:1000:1001::/:\n0x:x:5:5::/:\n";
        let group = "app:x:1001:node\nvideo:x:44:node\nwheel:x:0:\n";
        let accounts = Accounts::parse(Some(passwd.as_bytes()), Some(group.as_bytes()));
        accounts.identify(user).map_or_else(WhoRuns::Nobody, WhoRuns::Known)
    }

    #[test]
    fn a_user_becomes_numbers_unless_it_is_them_or_root() {
        for (user, expected) in [
            ("node", Some("1000:1001")),
            ("node:video", Some("1000:44")),
            ("node:0", Some("1000:0")),
            ("1000", Some("1000:1001")),
            ("1000:", Some("1000:1001")),
            ("2000", Some("2000:0")),
            ("1000:1001", None),
            ("01000:1001", Some("1000:1001")),
            ("", None),
            ("root", None),
            ("toor", None),
            ("0:1000", None),
            ("gone", None),
            ("node:gone", None),
        ] {
            assert_eq!(as_numbers(user, &who(user)).as_deref(), expected, "{user:?}");
        }
    }

    #[test]
    fn groups_that_only_the_name_has_are_told() {
        let mut named = who("node");
        let told = lost_groups("node", &mut named).unwrap();
        assert!(told.message.contains("in the groups 44; written as 1000:1001"), "{told:?}");
        let WhoRuns::Known(identity) = named else { panic!("somebody") };
        assert_eq!(identity.groups, [0; 0], "judged as it will run");
        assert_eq!(lost_groups("node:video", &mut who("node:video")), None);
        assert_eq!(lost_groups("gone", &mut who("gone")), None);
    }
}
