//! What placed layers do to the base: nothing but adding to it.

use crate::inspect::entry::Kind;
use crate::inspect::evidence::Changed;

use super::access::describe;
use super::{Decision, Fault, Subject};

/// BASE-02.
pub(crate) fn changed(subject: &Subject<'_>) -> Decision {
    if !subject.base_known {
        return Err("the base is not known".to_owned());
    }
    let list = &subject.inventory.changed;
    let faults = list.items.iter().filter(|change| !is_declared(subject, change));
    let mut faults: Vec<_> = faults.map(|change| fault(subject, change)).collect();
    if list.truncated
        && let Some(last) = faults.last_mut()
    {
        last.message.push_str(", and there are more");
    }
    Ok(faults)
}

/// A writable folder that the base already has is given to the runtime user, the folder alone.
fn is_declared(subject: &Subject<'_>, change: &Changed) -> bool {
    let folders = change.before.kind == Kind::Folder && change.after.kind == Kind::Folder;
    folders && subject.writable.iter().any(|path| path.trim_end_matches('/') == change.path)
}

fn fault(subject: &Subject<'_>, change: &Changed) -> Fault {
    let (before, after) = (&change.before, &change.after);
    let path = &change.path;
    let message = if before.kind == after.kind {
        format!("{path} of the base changes from {} to {}", describe(before), describe(after))
    } else {
        format!("{path} of the base changes from a {} to a {}", before.kind, after.kind)
    };
    Fault::new(subject.origin(change.layer), message).at(path)
}
