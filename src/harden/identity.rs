//! Who the process runs as: not root, as numbers, in range, and someone who exists.

#![expect(clippy::unnecessary_wraps, reason = "all decisions of the table have one signature")]

use crate::inspect::accounts::UserError;
use crate::inspect::escape::escape;
use crate::inspect::evidence::WhoRuns;

use super::access::who;
use super::{Decision, Fault, Origin, Subject};

/// The largest uid and gid that every engine takes (CVE-2024-40635).
const MAX_ID: i64 = i32::MAX as i64;
const USER: Origin = Origin::Config("user");

const LIKE_A_NUMBER: &str = "called like a number, which engines read in two ways";

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// USR-01.
pub(crate) fn root(subject: &Subject<'_>) -> Decision {
    let who = who(subject)?;
    if who.uid != 0 {
        return Ok(Vec::new());
    }
    let user = escape(subject.config.user.as_bytes());
    let message = if user.is_empty() {
        "the process runs as root: the image has no user".to_owned()
    } else {
        format!("the process runs as root: user \"{user}\" is uid 0")
    };
    Ok(vec![Fault::new(USER, message)])
}

/// USR-02.
pub(crate) fn numeric(subject: &Subject<'_>) -> Decision {
    let user = &subject.config.user;
    if user.split_once(':').is_some_and(|(uid, gid)| is_number(uid) && is_number(gid)) {
        return Ok(Vec::new());
    }
    let message = if is_number(user) {
        format!("user \"{user}\" has no group: it is whatever /etc/passwd says, or root's")
    } else {
        let user = escape(user.as_bytes());
        format!(
            "user \"{user}\" is not uid:gid, so nobody can tell from outside that it is not root"
        )
    };
    let fault = Fault::new(USER, message);
    Ok(vec![match &subject.inventory.user {
        WhoRuns::Known(who) if who.uid != 0 => {
            let ids = format!("{}:{}", who.uid, who.gid);
            fault.help(
                subject.help(&format!("write `user: \"{ids}\"`"), &format!("write `USER {ids}`")),
            )
        }
        _ => fault,
    }])
}

/// USR-03.
pub(crate) fn overflow(subject: &Subject<'_>) -> Decision {
    let mut faults = Vec::new();
    if let WhoRuns::Nobody(UserError::Range(text)) = &subject.inventory.user {
        let text = escape(text.as_bytes());
        faults.push(Fault::new(USER, format!("user id {text} is not between 1 and {MAX_ID}")));
    }
    let accounts = &subject.inventory.accounts;
    let in_range = |id: i64| (0..=MAX_ID).contains(&id);
    let passwd = |message| Fault::new(subject.origin(0), message).at("/etc/passwd");
    for user in &accounts.users {
        let name = escape(user.name.as_bytes());
        if !in_range(user.uid) || !in_range(user.gid) {
            let message =
                format!("user \"{name}\" has ids that overflow: {}:{}", user.uid, user.gid);
            faults.push(passwd(message));
        }
        if is_number(&name) {
            faults.push(passwd(format!("user \"{name}\" is {LIKE_A_NUMBER}")));
        }
    }
    let in_group = |message| Fault::new(subject.origin(0), message).at("/etc/group");
    for group in &accounts.groups {
        let name = escape(group.name.as_bytes());
        if !in_range(group.gid) {
            let message = format!("group \"{name}\" has an id that overflows: {}", group.gid);
            faults.push(in_group(message));
        }
        if is_number(&name) {
            faults.push(in_group(format!("group \"{name}\" is {LIKE_A_NUMBER}")));
        }
    }
    if faults.is_empty() && accounts.truncated {
        return Err("there are too many accounts to look at each".to_owned());
    }
    Ok(faults)
}

/// USR-05.
pub(crate) fn missing(subject: &Subject<'_>) -> Decision {
    Ok(match &subject.inventory.user {
        WhoRuns::Known(_) | WhoRuns::Nobody(UserError::Range(_)) => Vec::new(),
        WhoRuns::Nobody(error) => {
            vec![Fault::new(
                USER,
                format!("the container cannot start: {}", escape(error.to_string().as_bytes())),
            )]
        }
    })
}
