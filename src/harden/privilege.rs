//! Privileges that stand in the file system: set-id bits, capabilities, files that everybody or the
//! app itself may write, and what the loader and the search path take from such places.

use crate::inspect::accounts::Identity;
use crate::inspect::entry::Kind;
use crate::inspect::evidence::{Item, Lookup, Part};
use crate::paths;

use super::access::{describe, who};
use super::common::{
    asked, at_most, complete, is_declared_writable, is_placed, may_replace, may_write, together,
    variable,
};
use super::runtime::MAX_PLACES;
use super::{Decision, Fault, Origin, Severity, Subject};

/// `cap_net_bind_service` as a bit.
const NET_BIND: u64 = 1 << 10;
/// What no process may change while it runs.
pub(crate) const SYSTEM_PATHS: [&str; 20] = [
    "/",
    "/etc",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/ssl",
];
/// Folders below which nothing that is placed may be writable.
const SYSTEM_FOLDERS: [&str; 13] = [
    "/etc",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
];
/// What the loader of glibc loads into every program.
pub(crate) const PRELOAD: &str = "/etc/ld.so.preload";

fn fault(subject: &Subject<'_>, item: &Item, message: String) -> Fault {
    Fault::new(subject.origin(item.layer), message).at(&item.path)
}

/// PRV-01.
pub(crate) fn set_id(subject: &Subject<'_>) -> Decision {
    let list = &subject.inventory.set_id;
    let say = |item: &Item| {
        let whose = match item.attributes.mode & 0o6000 {
            0o2000 => format!("group {}", item.attributes.gid),
            _ => format!("user {}", item.attributes.uid),
        };
        let message = format!(
            "{} runs as {whose}, whoever starts it ({})",
            item.path,
            describe(&item.attributes)
        );
        fault(subject, item, message)
    };
    let mut faults: Vec<_> = list.items.iter().map(say).collect();
    complete(list.truncated, &mut faults)?;
    Ok(faults)
}

/// PRV-02.
pub(crate) fn capabilities(subject: &Subject<'_>) -> Decision {
    let Some(list) = &subject.inventory.capabilities else {
        return Err("the file system does not tell capabilities".to_owned());
    };
    let gaps = &subject.inventory.not_evaluated.items;
    if let Some(gap) = gaps.iter().find(|gap| gap.part == Part::Attributes) {
        return Err(format!("the attributes of {} cannot be read: {}", gap.path, gap.reason));
    }
    let say = |item: &Item| {
        let bits = item.detail.as_deref().and_then(permitted);
        let found = fault(subject, item, format!("{} has capabilities{}", item.path, shown(bits)));
        if bits == Some(NET_BIND) { found.usually(Severity::Warn) } else { found }
    };
    let mut faults: Vec<_> = list.items.iter().map(say).collect();
    complete(list.truncated, &mut faults)?;
    Ok(faults)
}

fn shown(bits: Option<u64>) -> String {
    match bits {
        Some(NET_BIND) => " (cap_net_bind_service)".to_owned(),
        Some(bits) => format!(" (0x{bits:x})"),
        None => String::new(),
    }
}

/// All permitted and inheritable capabilities of `struct vfs_cap_data`, given in hexadecimal.
fn permitted(hexadecimal: &str) -> Option<u64> {
    let word = |index: usize| {
        let text = hexadecimal.get(index * 8..index * 8 + 8)?;
        u32::from_str_radix(text, 16).ok().map(|word| u64::from(word.swap_bytes()))
    };
    // Version 1 has one word of each, later ones two.
    let high = |index| word(index).unwrap_or(0) << 32;
    Some(word(1)? | word(2)? | high(3) | high(4))
}

/// PRV-03.
pub(crate) fn open_files(subject: &Subject<'_>) -> Decision {
    everybody(subject, Kind::File, |found, _| found)
}

/// PRV-04.
pub(crate) fn open_folders(subject: &Subject<'_>) -> Decision {
    everybody(
        subject,
        Kind::Folder,
        |found, placed| {
            if placed { found } else { found.weighing(Severity::Warn) }
        },
    )
}

fn everybody(subject: &Subject<'_>, kind: Kind, weigh: impl Fn(Fault, bool) -> Fault) -> Decision {
    let list = &subject.inventory.world_writable;
    let items = list.items.iter().filter(|item| item.attributes.kind == kind);
    let say = |item: &Item| {
        let message = format!("everybody may write {} ({})", item.path, describe(&item.attributes));
        let found = fault(subject, item, message);
        let placed = matches!(found.origin, Origin::App { .. });
        weigh(found, placed)
    };
    let mut faults: Vec<_> = items.map(say).collect();
    complete(list.truncated, &mut faults)?;
    Ok(faults)
}

/// PRV-05.
pub(crate) fn special(subject: &Subject<'_>) -> Decision {
    let list = &subject.inventory.special;
    // A placed character device may delete something: that is BASE-04.
    let told = |item: &&Item| {
        item.attributes.kind == Kind::Character
            && matches!(subject.origin(item.layer), Origin::App { .. })
    };
    let say = |item: &Item| {
        let kind = item.attributes.kind;
        let found = fault(subject, item, format!("{} is a {kind}", item.path));
        let device = matches!(kind, Kind::Character | Kind::Block | Kind::Unknown);
        if device { found } else { found.usually(Severity::Warn) }
    };
    let mut faults: Vec<_> = list.items.iter().filter(|item| !told(item)).map(say).collect();
    complete(list.truncated, &mut faults)?;
    Ok(faults)
}

/// PRV-06.
pub(crate) fn own_files(subject: &Subject<'_>) -> Decision {
    let list = &subject.inventory.writable;
    // A path of the base that is given away is BASE-02.
    let changed = |path: &str| subject.inventory.changed.items.iter().any(|one| one.path == path);
    let ours = |item: &&Item| {
        is_placed(subject, item.layer)
            && !changed(&item.path)
            && !is_declared_writable(subject, &item.path)
            && !is_system(&item.path)
    };
    let mut faults = together(subject, list.items.iter().filter(ours), |names| {
        format!("the process may change {names}")
    });
    complete(list.truncated, &mut faults)?;
    Ok(faults)
}

fn is_system(path: &str) -> bool {
    SYSTEM_FOLDERS.iter().any(|folder| paths::below(folder, path).is_some())
}

/// PRV-07.
pub(crate) fn system_files(subject: &Subject<'_>) -> Decision {
    let who = who(subject)?;
    if who.uid == 0 {
        return Ok(Vec::new()); // root writes everything, which is USR-01
    }
    let mut faults = Vec::new();
    for path in SYSTEM_PATHS {
        faults.extend(system_path(subject, who, path)?);
    }
    let list = &subject.inventory.writable;
    let below = list.items.iter().filter(|item| {
        is_placed(subject, item.layer)
            && is_system(&item.path)
            && !is_declared_writable(subject, &item.path)
            && !SYSTEM_PATHS.contains(&item.path.as_str())
    });
    let (settings, programs): (Vec<_>, Vec<_>) =
        below.partition(|item| paths::below("/etc", &item.path).is_some());
    // A base gives its user configuration, such as nginx's; nobody knows here that it is the base's.
    let gathered = [(settings, Severity::Info), (programs, Severity::Warn)];
    for (items, unknown) in gathered {
        let say = |names: &str| format!("the process may change {names}");
        let below = together(subject, items.into_iter(), say);
        faults.extend(below.into_iter().map(|fault| match fault.origin {
            Origin::Image => fault.usually(unknown),
            _ => fault,
        }));
    }
    if list.truncated {
        // The system's own paths were looked up; what is placed below them comes after the list's end.
        let count = list.total;
        let message = format!("the process may change {count} files, of which not all were told");
        let weight = if subject.base_known { Severity::Warn } else { Severity::Info };
        faults.push(Fault::new(Origin::Image, message).weighing(weight));
    }
    Ok(faults)
}

fn system_path(subject: &Subject<'_>, who: &Identity, path: &str) -> Result<Option<Fault>, String> {
    let Some(found) = &asked(subject, path)?.found else { return Ok(None) };
    let shown = describe(&found.attributes);
    let message = format!("the process may change {path} ({shown})");
    Ok(may_write(who, &found.attributes)
        .then(|| Fault::new(subject.origin(found.layer), message).at(&found.path)))
}

/// PRV-08.
pub(crate) fn preloaded(subject: &Subject<'_>) -> Decision {
    let names = ["LD_PRELOAD", "LD_AUDIT"].into_iter();
    let set =
        names.filter(|name| variable(&subject.config.env, name).is_some_and(|v| !v.is_empty()));
    let mut faults: Vec<_> = set
        .map(|name| {
            let message = format!("{name} puts code into every program that is started");
            Fault::new(subject.env_origin(name), message).about(name)
        })
        .collect();
    let file = asked(subject, PRELOAD)?.found.as_ref();
    faults.extend(file.map(|file| {
        let message = format!("{PRELOAD} puts code into every program that is started");
        Fault::new(subject.origin(file.layer), message).at(PRELOAD)
    }));
    Ok(faults)
}

/// PRV-09.
pub(crate) fn search_path(subject: &Subject<'_>) -> Decision {
    let Some(path) = variable(&subject.config.env, "PATH") else { return Ok(Vec::new()) };
    let origin = subject.env_origin("PATH");
    let who = who(subject)?;
    let mut faults = Vec::new();
    for element in path.split(':') {
        if faults.len() > MAX_PLACES {
            break; // `at_most` says so
        }
        let shown = crate::inspect::escape::escape(element.as_bytes());
        if !element.starts_with('/') {
            let what = if element.is_empty() { "an empty element" } else { &shown };
            let message = format!("PATH has {what}, which is wherever the process is");
            faults.push(Fault::new(origin, message).about("PATH"));
            continue;
        }
        if who.uid == 0 {
            continue;
        }
        let lookup = asked(subject, element)?;
        let fillable = match &lookup.found {
            Some(found) => found.attributes.kind == Kind::Folder && may_replace(who, lookup),
            None => may_make(who, lookup),
        };
        if fillable {
            let message = format!("PATH has {shown}, where the process may put programs");
            faults.push(Fault::new(origin, message).about("PATH").at(&lookup.path));
        }
    }
    Ok(at_most(faults))
}

/// Whether someone may make what a lookup does not find: write the last folder that is there, sticky
/// or not, or replace one on the way.
fn may_make(who: &Identity, lookup: &Lookup) -> bool {
    let last = lookup.searched.last();
    lookup.trouble.is_none()
        && (may_replace(who, lookup) || last.is_some_and(|step| may_write(who, &step.attributes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_capabilities_of_files() {
        // Version 2, cap_net_bind_service permitted and effective; cap_net_raw; nonsense.
        assert_eq!(permitted("0100000200040000000000000000000000000000"), Some(NET_BIND));
        assert_eq!(permitted("0100000200200000000000000000000000000000"), Some(1 << 13));
        assert_eq!(permitted("0100000200000000000000000100000000000000"), Some(1 << 32));
        assert_eq!(permitted("unreadable"), None);
    }
}
