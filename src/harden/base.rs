//! What placed layers do to the base: nothing but adding to it.

use crate::inspect::entry::Kind;
use crate::inspect::evidence::Changed;
use crate::paths;

use super::access::describe;
use super::common::complete;
use super::{Decision, Fault, Subject};

/// BASE-02.
pub(crate) fn changed(subject: &Subject<'_>) -> Decision {
    let list = &subject.inventory.changed;
    let faults =
        list.items.iter().filter(|change| !is_declared(subject, change) && !is_tighter(change));
    let mut faults: Vec<_> = faults.map(|change| fault(subject, change)).collect();
    complete(list.truncated, &mut faults)?;
    Ok(faults)
}

/// What a scanner or an engine reads to know what the base is.
const RECORDS: [&str; 9] = [
    "/etc/os-release",
    "/usr/lib/os-release",
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/var/lib/dpkg",
    "/lib/apk",
    "/usr/lib/apk",
    "/opt/docker",
];

/// BASE-01.
pub(crate) fn records(subject: &Subject<'_>) -> Decision {
    let list = &subject.inventory.replaced;
    let is_record = |path: &str| RECORDS.iter().any(|one| paths::below(one, path).is_some());
    let replaced = list.items.iter().filter(|change| is_record(&change.path) || is_code(change));
    let mut faults: Vec<_> = replaced
        .map(|change| {
            let message = format!("{} of the base is replaced", change.path);
            Fault::new(subject.origin(change.layer), message).at(&change.path)
        })
        .collect();
    complete(list.truncated, &mut faults)?;
    Ok(faults)
}

/// Whether a file of the base is a program or a library, which others of the base rely on.
fn is_code(change: &Changed) -> bool {
    const CODE: [&str; 9] = ["py", "pyc", "js", "mjs", "cjs", "jar", "dll", "rb", "pm"];
    const FOLDERS: [&str; 6] =
        ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt"];
    let path = change.path.as_str();
    let name = path.rsplit('/').next().unwrap_or(path);
    let executable = match change.before.kind {
        Kind::File => change.before.mode & 0o111 != 0,
        // `python3`, which leads to `python3.13`.
        Kind::Link => path.contains("/bin/") || path.contains("/sbin/"),
        _ => false,
    };
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    let library = matches!(suffix, "so" | "node") || name.contains(".so.");
    let module = CODE.contains(&suffix) && FOLDERS.iter().any(|f| paths::below(f, path).is_some());
    executable || library || module
}

/// BASE-03.
pub(crate) fn hidden(subject: &Subject<'_>) -> Decision {
    let declared = |change: &&Changed| {
        // A file that is placed at a writable path lies over the folder that was made for it. A link
        // would lead what is mounted there to somewhere else.
        change.after.kind == Kind::File
            && subject.writable.iter().any(|path| path.trim_end_matches('/') == change.path)
    };
    let list = &subject.inventory.hidden;
    let faults = list.items.iter().filter(|change| !declared(change)).map(|change| {
        let (path, before, after) = (&change.path, change.before.kind, change.after.kind);
        let message = format!("{path} was placed as a {before} and is placed again as a {after}");
        Fault::new(subject.origin(change.layer), message).at(path)
    });
    let mut faults: Vec<_> = faults.collect();
    complete(list.truncated, &mut faults)?;
    Ok(faults)
}

/// BASE-04.
pub(crate) fn deletions(subject: &Subject<'_>) -> Decision {
    let names = subject.inventory.whiteouts.items.iter();
    let devices = subject.inventory.special.items.iter();
    let devices = devices.filter(|item| item.attributes.kind == Kind::Character && item.layer > 0);
    let faults = names.chain(devices).map(|item| {
        let path = &item.path;
        let message = match item.attributes.kind {
            Kind::Character => {
                format!("{path} is a character device, which may stand for a deletion")
            }
            _ => format!("{path} deletes another file where the image is unpacked"),
        };
        Fault::new(subject.origin(item.layer), message).at(path)
    });
    let mut faults: Vec<_> = faults.collect();
    let inventory = subject.inventory;
    complete(inventory.whiteouts.truncated || inventory.special.truncated, &mut faults)?;
    Ok(faults)
}

/// Whether a placed file only takes rights away from the base's: a configuration that is replaced
/// is root's, whoever the base gave it to.
fn is_tighter(change: &Changed) -> bool {
    let (before, after) = (&change.before, &change.after);
    let owner = |id: u32, old: u32| id == old || id == 0;
    before.kind == Kind::File
        && after.kind == Kind::File
        && after.mode & !before.mode == 0
        && owner(after.uid, before.uid)
        && owner(after.gid, before.gid)
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
