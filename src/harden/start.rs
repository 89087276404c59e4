//! Whether the image starts: the command is there, its user may execute it, the kernel can, the
//! working folder is usable, and the health check as well.

use crate::inspect::accounts::Identity;
use crate::inspect::entry::Kind;
use crate::inspect::evidence::{Command, Lookup, Target};

use super::access::{barrier, describe, may_execute, who};
use super::programs::{Problem, Question, problems, require_machine};
use super::{Decision, Fault, Origin, Severity, Subject};

/// Folders that are mounted over when a container starts.
const MOUNTED: [&str; 3] = ["/proc", "/sys", "/dev"];

/// RUN-01.
pub(crate) fn found(subject: &Subject<'_>) -> Decision {
    if subject.inventory.entrypoint.is_none() {
        let message = "the image has neither entrypoint nor cmd";
        let fault = Fault::new(Origin::Config("entrypoint"), message);
        return Ok(vec![fault.help(subject.help(
            "write what is started as a list, such as `entrypoint: [node, server.js]`",
            "write what is started as a list, such as `ENTRYPOINT [\"node\", \"server.js\"]`",
        ))]);
    }
    answers(subject, Question::Found)
}

/// RUN-02.
pub(crate) fn executable(subject: &Subject<'_>) -> Decision {
    answers(subject, Question::Executable)
}

/// RUN-03.
pub(crate) fn scripts(subject: &Subject<'_>) -> Decision {
    answers(subject, Question::Script)
}

/// RUN-04.
pub(crate) fn formats(subject: &Subject<'_>) -> Decision {
    answers(subject, Question::Format)
}

/// RUN-05.
pub(crate) fn machines(subject: &Subject<'_>) -> Decision {
    require_machine(subject.platform)?;
    answers(subject, Question::Machine)
}

/// The problems of the entrypoint, and of what an init in front of it starts, that belong to one
/// check.
fn answers(subject: &Subject<'_>, question: Question) -> Decision {
    let field = if subject.config.entrypoint.is_empty() { "cmd" } else { "entrypoint" };
    let commands = [&subject.inventory.entrypoint, &subject.inventory.wrapped];
    let mut faults = Vec::new();
    for command in commands.into_iter().flatten() {
        let all = command_problems(subject, command)?;
        let ours = all.into_iter().filter(|problem| problem.question == question);
        faults.extend(ours.map(|problem| fault(subject, field, problem)));
    }
    Ok(faults)
}

fn command_problems(subject: &Subject<'_>, command: &Command) -> Result<Vec<Problem>, String> {
    if command.truncated {
        return Err("there are too many places to look at".to_owned());
    }
    Ok(problems(subject, who(subject)?, command))
}

fn fault(subject: &Subject<'_>, field: &'static str, problem: Problem) -> Fault {
    let message = format!("{field} does not start: {}", problem.message);
    let fault = match problem.file {
        Some((path, layer)) => Fault::new(subject.origin(layer), message).at(&path),
        None => Fault::new(Origin::Config(field), message),
    };
    Fault { help: problem.help, ..fault }
}

/// RUN-09.
pub(crate) fn workdir(subject: &Subject<'_>) -> Decision {
    let Some(workdir) = &subject.inventory.workdir else { return Ok(Vec::new()) };
    let who = who(subject)?;
    let path = &workdir.path;
    let message = match (workdir.found_kind(Kind::Folder), &workdir.found) {
        (Some(folder), _) => obstacle(who, workdir, folder),
        (None, Some(other)) => Some(format!("workdir {path} is a {}", other.attributes.kind)),
        (None, None) => Some(match &workdir.trouble {
            Some(trouble) => format!("workdir {path} cannot be reached: {trouble}"),
            None => format!("workdir {path} does not exist"),
        }),
    };
    let fault = |message| Fault::new(Origin::Config("workdir"), message).at(path);
    Ok(message.map(fault).into_iter().collect())
}

/// Why a working folder that is there cannot be used.
fn obstacle(who: &Identity, workdir: &Lookup, folder: &Target) -> Option<String> {
    let is_below = |mount: &str| {
        let rest = folder.path.strip_prefix(mount);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some(mount) = MOUNTED.into_iter().find(|mount| is_below(mount)) {
        return Some(format!("workdir {} lies in {mount}, which is mounted over", folder.path));
    }
    let (path, attributes) = match barrier(who, workdir) {
        Some(step) => (&step.path, &step.attributes),
        None if may_execute(who, &folder.attributes) => return None,
        None => (&folder.path, &folder.attributes),
    };
    let (user, shown) = (format!("{}:{}", who.uid, who.gid), describe(attributes));
    Some(format!("workdir cannot be entered: user {user} cannot search {path} ({shown})"))
}

/// RUN-12.
pub(crate) fn healthcheck(subject: &Subject<'_>) -> Decision {
    let origin = Origin::Config("healthcheck");
    if subject.config.healthcheck.is_empty() {
        let fault = Fault::new(origin, "the image has no health check").weighing(Severity::Info);
        return Ok(vec![fault.help("add `healthcheck`; Kubernetes has probes of its own")]);
    }
    let Some(command) = &subject.inventory.healthcheck else { return Ok(Vec::new()) };
    require_machine(subject.platform)?;
    let all = command_problems(subject, command)?;
    Ok(all.into_iter().map(|problem| fault(subject, "healthcheck", problem)).collect())
}
