//! The accounts of the image: nobody but root is root, nobody has a password or a shell.

use std::collections::BTreeMap;

use crate::inspect::accounts::{Password, User};
use crate::inspect::entry::Kind;
use crate::inspect::escape::escape;
use crate::inspect::evidence::WhoRuns;

use super::common::{asked, complete};
use super::{Decision, Fault, Origin, Subject};

/// Groups whose members may read or change what belongs to root.
const POWERFUL: [&str; 8] = ["root", "wheel", "sudo", "docker", "shadow", "disk", "kmem", "adm"];
/// Programs that let nobody in.
const NO_LOGIN: [&str; 6] = ["nologin", "false", "true", "sync", "shutdown", "halt"];
/// What an empty field stands for.
pub(crate) const DEFAULT_SHELL: &str = "/bin/sh";

fn passwd(subject: &Subject<'_>, message: String) -> Fault {
    Fault::new(subject.origin(0), message).at("/etc/passwd")
}

/// Accounts that were left out of the evidence may be at fault as well.
fn of_all(subject: &Subject<'_>, mut faults: Vec<Fault>) -> Decision {
    complete(subject.inventory.accounts.truncated, &mut faults)?;
    Ok(faults)
}

/// USR-04.
pub(crate) fn groups(subject: &Subject<'_>) -> Decision {
    let WhoRuns::Known(who) = &subject.inventory.user else {
        return Err("it is not known who the process runs as".to_owned());
    };
    let user = Origin::Config("user");
    if who.uid == 0 {
        return Ok(Vec::new()); // root has worse than groups
    }
    if who.gid == 0 {
        let message = format!("the process runs as {}:0, in the group root", who.uid);
        let ids = format!("{0}:{0}", who.uid);
        return Ok(vec![Fault::new(user, message).help(subject.help(
            &format!("write `user: \"{ids}\"`, or another group"),
            &format!("write `USER {ids}`, or another group"),
        ))]);
    }
    let groups = &subject.inventory.accounts.groups;
    let is_in = |gid: i64| [who.gid].iter().chain(&who.groups).any(|mine| i64::from(*mine) == gid);
    let powerful = groups.iter().filter(|group| POWERFUL.contains(&group.name.as_str()));
    let faults = powerful.filter(|group| is_in(group.gid)).map(|group| {
        Fault::new(user, format!("the process runs in the group {} ({})", group.name, group.gid))
    });
    of_all(subject, faults.collect())
}

/// The accounts that somebody may become: libc skips comments, which Go's reader takes for lines
/// with broken numbers.
fn accounts<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a User> {
    subject.inventory.accounts.users.iter().filter(|user| !user.name.starts_with('#'))
}

/// USR-06.
pub(crate) fn second_root(subject: &Subject<'_>) -> Decision {
    let others = accounts(subject).filter(|user| user.uid == 0 && user.name != "root");
    let say = |name: &str| format!("user \"{}\" is uid 0 like root", escape(name.as_bytes()));
    of_all(subject, others.map(|user| passwd(subject, say(&user.name))).collect())
}

/// USR-07.
pub(crate) fn passwords(subject: &Subject<'_>) -> Decision {
    let inventory = subject.inventory;
    if let Some(trouble) = &inventory.shadow_trouble {
        return Err(format!("/etc/shadow cannot be read: {trouble}"));
    }
    let users = accounts(subject);
    let users = users.map(|user| ("/etc/passwd", escape(user.name.as_bytes()), user.password));
    let shadow = inventory.shadow.iter();
    let shadow = shadow.map(|line| ("/etc/shadow", line.name.clone(), line.password));
    let faults = users.chain(shadow).filter_map(|(file, name, password)| {
        let message = match password {
            Password::Empty => format!("user \"{name}\" has an empty password"),
            Password::Set => format!("user \"{name}\" has a password"),
            Password::Shadowed | Password::Locked => return None,
        };
        Some(Fault::new(subject.origin(0), message).at(file))
    });
    of_all(subject, faults.collect())
}

/// USR-08.
pub(crate) fn login_shells(subject: &Subject<'_>) -> Decision {
    let mut shells: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for user in accounts(subject) {
        let shell = if user.shell.is_empty() { DEFAULT_SHELL } else { user.shell.as_str() };
        let name = shell.rsplit('/').next().unwrap_or(shell);
        if !NO_LOGIN.contains(&name) && exists(subject, shell)? {
            shells.entry(shell).or_default().push(escape(user.name.as_bytes()));
        }
    }
    let say = |(shell, users): (&str, Vec<String>)| {
        let shell = escape(shell.as_bytes());
        passwd(subject, format!("{shell} is there, and {} may log in with it", users.join(", ")))
    };
    of_all(subject, shells.into_iter().map(say).collect())
}

/// Whether a path leads to a file that anybody may execute.
fn exists(subject: &Subject<'_>, path: &str) -> Result<bool, String> {
    if !path.starts_with('/') {
        return Ok(false);
    }
    let found = asked(subject, path)?.found_kind(Kind::File);
    Ok(found.is_some_and(|file| file.attributes.mode & 0o111 != 0))
}

/// USR-09.
pub(crate) fn duplicates(subject: &Subject<'_>) -> Decision {
    let accounts = &subject.inventory.accounts;
    let users = accounts.users.iter().map(|user| (user.uid, user.name.as_str()));
    let groups = accounts.groups.iter().map(|group| (group.gid, group.name.as_str()));
    let faults = [
        twice(users, ("users", "uid", "/etc/passwd"), subject),
        twice(groups, ("groups", "gid", "/etc/group"), subject),
    ];
    of_all(subject, faults.concat())
}

fn twice<'a>(
    entries: impl Iterator<Item = (i64, &'a str)>,
    (what, id, file): (&str, &str, &str),
    subject: &Subject<'_>,
) -> Vec<Fault> {
    let mut names: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    // More than one root is another check.
    for (number, name) in entries.filter(|(number, _)| *number != 0) {
        names.entry(number).or_default().push(name);
    }
    let several = names.into_iter().filter(|(_, names)| names.len() > 1);
    let fault = |(number, names): (i64, Vec<&str>)| {
        let names = escape(names.join(" and ").as_bytes());
        Fault::new(subject.origin(0), format!("{what} {names} have the same {id} {number}"))
            .at(file)
    };
    several.map(fault).collect()
}

/// SHL-10.
pub(crate) fn listed_shells(subject: &Subject<'_>) -> Decision {
    let mut listed = Vec::new();
    for shell in &subject.inventory.listed_shells {
        if exists(subject, shell)? {
            listed.push(shell);
        }
    }
    let fault = |shell: &String| {
        let shell = escape(shell.as_bytes());
        Fault::new(subject.origin(0), format!("/etc/shells lists {shell}, which is there"))
            .at("/etc/shells")
    };
    Ok(listed.into_iter().map(fault).collect())
}
