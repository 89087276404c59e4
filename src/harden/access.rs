//! Whether a user may pass a folder or execute a file: the kernel's rule for permission bits.

use crate::inspect::accounts::Identity;
use crate::inspect::entry::{Attributes, Kind};
use crate::inspect::evidence::{Lookup, Step, WhoRuns};

use super::Subject;

/// The bit that allows to execute a file and to search a folder.
const EXECUTE: u32 = 1;

/// Whether someone may execute a file or search a folder.
pub(crate) fn may_execute(who: &Identity, what: &Attributes) -> bool {
    let bits = if who.uid == 0 {
        // Root searches any folder, and executes what anybody may execute.
        let any = what.mode | what.mode >> 3 | what.mode >> 6;
        if what.kind == Kind::Folder { EXECUTE } else { any }
    } else {
        who.class(what)
    };
    bits & EXECUTE != 0
}

/// The first folder of a lookup that someone may not search.
pub(crate) fn barrier<'a>(who: &Identity, lookup: &'a Lookup) -> Option<&'a Step> {
    lookup.searched.iter().find(|step| !may_execute(who, &step.attributes))
}

/// Why someone cannot execute what a lookup finds, as a sentence.
pub(crate) fn refusal(who: &Identity, lookup: &Lookup) -> Option<String> {
    denied(who, lookup, "execute", |target| may_execute(who, target))
}

/// Why someone cannot read what a lookup finds, as a sentence.
pub(crate) fn unreadable(who: &Identity, lookup: &Lookup) -> Option<String> {
    denied(who, lookup, "read", |target| who.may_read(target))
}

fn denied(
    who: &Identity,
    lookup: &Lookup,
    verb: &str,
    may: impl Fn(&Attributes) -> bool,
) -> Option<String> {
    let (verb, path, attributes) = match (barrier(who, lookup), &lookup.found) {
        (Some(step), _) => ("search", &step.path, &step.attributes),
        (None, Some(target)) if !may(&target.attributes) => {
            (verb, &target.path, &target.attributes)
        }
        _ => return None,
    };
    let (user, shown) = (format!("{}:{}", who.uid, who.gid), describe(attributes));
    Some(format!("user {user} cannot {verb} {path} ({shown})"))
}

/// How the reason starts why nothing can be said that depends on the user.
pub(crate) const UNKNOWN_USER: &str = "it is not known who the process runs as";

/// `0750 0:1000`.
pub(crate) fn describe(what: &Attributes) -> String {
    format!("{:04o} {}:{}", what.mode, what.uid, what.gid)
}

/// Who the process runs as, if that is known.
pub(crate) fn who<'a>(subject: &Subject<'a>) -> Result<&'a Identity, String> {
    match &subject.inventory.user {
        WhoRuns::Known(identity) => Ok(identity),
        WhoRuns::Nobody(error) => Err(format!("{UNKNOWN_USER}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_first_class_that_fits() {
        let who =
            |uid, gid, groups: &[u32]| Identity { uid, gid, groups: groups.to_vec(), name: None };
        let what = |mode, uid, gid| Attributes { kind: Kind::File, mode, uid, gid };
        let cases = [
            (who(1000, 1000, &[]), what(0o755, 0, 0), true),
            (who(1000, 1000, &[]), what(0o744, 0, 0), false),
            (who(1000, 1000, &[]), what(0o700, 1000, 0), true),
            (who(1000, 1000, &[]), what(0o677, 1000, 1000), false), // the owner is not "others"
            (who(1000, 1000, &[]), what(0o767, 0, 1000), false),    // nor is the group
            (who(1000, 1000, &[]), what(0o710, 0, 1000), true),
            (who(1000, 5, &[44]), what(0o710, 0, 44), true),
            (who(0, 0, &[]), what(0o001, 5, 5), true),
            (who(0, 0, &[]), what(0o644, 0, 0), false),
        ];
        for (who, what, expected) in cases {
            assert_eq!(may_execute(&who, &what), expected, "{who:?} {what:?}");
        }
        let closed = Attributes { kind: Kind::Folder, mode: 0, uid: 1, gid: 1 };
        assert!(may_execute(&who(0, 0, &[]), &closed));
    }
}
