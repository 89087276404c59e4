//! Programs and files that an image does not need to run: package managers, compilers, tools of the
//! network, caches, leftovers; and the records that it does need.

#![expect(clippy::unnecessary_wraps, reason = "all decisions of the table have one signature")]

use crate::inspect::escape::escape;
use crate::inspect::evidence::Item;
use crate::inspect::names::{Role, is_dependency};

use super::common::{is_placed, together};
use super::{Decision, Fault, Origin, Severity, Subject};

/// The port of ssh.
const SSH: &str = "22";

/// One fault for each program of a role.
fn programs(
    subject: &Subject<'_>,
    role: Role,
    say: impl Fn(&Item, &str) -> Option<Fault>,
) -> Vec<Fault> {
    let items = subject.inventory.noted(role).iter();
    let say = |item: &Item| say(item, item.detail.as_deref().unwrap_or_default());
    whole(subject, role, items.filter_map(say).collect())
}

/// Faults of a role, of which the last one says if there are more. If there is none, what is not
/// listed has none either: it weighs less than all that is.
fn whole(subject: &Subject<'_>, role: Role, mut faults: Vec<Fault>) -> Vec<Fault> {
    if subject.inventory.is_cut(role)
        && let Some(last) = faults.last_mut()
    {
        last.and_more();
    }
    faults
}

fn fault(subject: &Subject<'_>, item: &Item, message: String) -> Fault {
    Fault::new(subject.origin(item.layer), message).at(&item.path)
}

/// A file of a dependency is its author's: worth knowing, no more.
fn by_owner(fault: Fault) -> Fault {
    let dependency = fault.path.as_ref().is_some_and(|path| is_dependency(path.as_bytes()));
    if dependency { fault.weighing(Severity::Info) } else { fault }
}

/// SHL-07: what the base brings is what the base is for.
pub(crate) fn interpreters(subject: &Subject<'_>) -> Decision {
    Ok(programs(subject, Role::Interpreter, |item, name| {
        let message =
            format!("{} is an interpreter ({name}) that the base does not have", item.path);
        is_placed(subject, item.layer).then(|| fault(subject, item, message))
    }))
}

/// SHL-08.
pub(crate) fn helpers(subject: &Subject<'_>) -> Decision {
    Ok(programs(subject, Role::Helper, |item, name| {
        let found =
            fault(subject, item, format!("{} starts programs or opens files ({name})", item.path));
        match found.origin {
            // A base that has them has them for a reason.
            Origin::Base => None,
            Origin::App { .. } => Some(found),
            Origin::Image | Origin::Config(_) => Some(found.weighing(Severity::Info)),
        }
    }))
}

/// PRV-10.
pub(crate) fn elevators(subject: &Subject<'_>) -> Decision {
    Ok(programs(subject, Role::Elevator, |item, name| {
        Some(fault(
            subject,
            item,
            format!("{} is called like {name}, which runs programs as another user", item.path),
        ))
    }))
}

/// PKG-01.
pub(crate) fn package_managers(subject: &Subject<'_>) -> Decision {
    Ok(programs(subject, Role::PackageManager, |item, name| {
        Some(fault(subject, item, format!("{} is a package manager ({name})", item.path)))
    }))
}

/// PKG-02.
pub(crate) fn language_managers(subject: &Subject<'_>) -> Decision {
    Ok(programs(subject, Role::LanguageManager, |item, name| {
        Some(fault(subject, item, format!("{} installs packages ({name})", item.path)))
    }))
}

/// PKG-03.
pub(crate) fn records(subject: &Subject<'_>) -> Decision {
    let records = subject.inventory.noted(Role::Record);
    let is_release = |item: &&Item| item.path.ends_with("/os-release");
    // /etc/os-release usually is a link to the other one.
    let release = records.iter().find(is_release);
    let database = records.iter().find(|item| !is_release(item));
    // Placed layers delete nothing: a base without records never had any. Neither has an image that
    // was made from nothing but programs; of a system, only half of them is left if one was deleted.
    let (origin, half) = (subject.origin(0), database.is_some() != release.is_some());
    let say = |message: &str| {
        let found = Fault::new(origin, message);
        if half && !subject.base_known { found } else { found.weighing(Severity::Warn) }
    };
    let mut faults = Vec::new();
    if database.is_none() {
        faults.push(say("the image has no database of packages"));
    }
    if release.is_none() {
        faults.push(say("the image has no os-release"));
    }
    Ok(faults)
}

/// PKG-04.
pub(crate) fn compilers(subject: &Subject<'_>) -> Decision {
    let mut faults = programs(subject, Role::Compiler, |item, name| {
        let found = fault(subject, item, format!("{} compiles or links ({name})", item.path));
        let placed = matches!(found.origin, Origin::App { .. });
        Some(if placed { found.weighing(Severity::Block) } else { found })
    });
    let files = subject.inventory.noted(Role::Development);
    let (dependencies, own): (Vec<_>, Vec<_>) = files
        .iter()
        .filter(|item| is_placed(subject, item.layer))
        .partition(|item| is_dependency(item.path.as_bytes()));
    let say = |names: &str| format!("{names}: only compilers and linkers read that");
    let mut read: Vec<_> = together(subject, own.into_iter(), say);
    read.extend(together(subject, dependencies.into_iter(), say).into_iter().map(by_owner));
    faults.extend(whole(subject, Role::Development, read));
    Ok(faults)
}

/// PKG-05.
pub(crate) fn network_tools(subject: &Subject<'_>) -> Decision {
    Ok(programs(subject, Role::NetworkTool, |item, name| {
        let what = format!("{} is a tool for the network or for debugging ({name})", item.path);
        Some(fault(subject, item, what))
    }))
}

/// PKG-06.
pub(crate) fn remote_logins(subject: &Subject<'_>) -> Decision {
    let mut faults = programs(subject, Role::RemoteLogin, |item, name| {
        Some(fault(subject, item, format!("{} lets people log in ({name})", item.path)))
    });
    faults.extend(programs(subject, Role::HostKey, |item, _| {
        Some(fault(subject, item, format!("{} is the key of a host", item.path)))
    }));
    let ssh = subject.config.ports.iter().find(|port| port.split('/').next() == Some(SSH));
    faults.extend(ssh.map(|port| {
        let message = format!("port {} is that of ssh", escape(port.as_bytes()));
        Fault::new(Origin::Config("expose"), message).about(port)
    }));
    Ok(faults)
}

/// PKG-07.
pub(crate) fn caches(subject: &Subject<'_>) -> Decision {
    let items = subject.inventory.noted(Role::Cache).iter();
    let say = |names: &str| format!("{names}: what a package manager keeps for later");
    Ok(whole(subject, Role::Cache, together(subject, items, say)))
}

/// PKG-08.
pub(crate) fn version_control(subject: &Subject<'_>) -> Decision {
    let items = subject.inventory.noted(Role::VersionControl).iter();
    let say = |item: &Item| {
        fault(subject, item, format!("{} holds the history of the source", item.path))
    };
    Ok(whole(subject, Role::VersionControl, items.map(say).collect()))
}

/// PKG-09.
pub(crate) fn leftovers(subject: &Subject<'_>) -> Decision {
    let items = subject.inventory.noted(Role::Leftover).iter();
    let say = |item: &Item| {
        let found = fault(subject, item, format!("{} is left over from development", item.path));
        by_owner(found)
    };
    Ok(whole(subject, Role::Leftover, items.map(say).collect()))
}
