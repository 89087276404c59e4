//! Judges one command: which file it is, whether its user may execute it, and whether the kernel
//! can. Every problem belongs to one check, so that the same walk serves all of them, and health
//! checks as well.

use crate::input::Input;
use crate::inspect::accounts::Identity;
use crate::inspect::entry::Kind;
use crate::inspect::escape::escape;
use crate::inspect::evidence::{Command, Lookup, Target};
use crate::inspect::program::{EnvProgram, Program};

use super::Subject;
use super::access::{refusal, unreadable};

/// Which question a problem answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    Found,
    Executable,
    Script,
    Format,
    Machine,
}

/// Something that keeps a command from starting.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) question: Question,
    /// The file that it is about, and its layer.
    pub(crate) file: Option<(String, usize)>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// What a platform's programs look like: word size, `e_machine`, byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Machine {
    bits: u8,
    number: u16,
    little_endian: bool,
}

/// The architectures of OCI platforms.
const MACHINES: [(&str, u8, u16, bool); 11] = [
    ("amd64", 64, 62, true),
    ("arm64", 64, 183, true),
    ("arm", 32, 40, true),
    ("386", 32, 3, true),
    ("riscv64", 64, 243, true),
    ("ppc64le", 64, 21, true),
    ("s390x", 64, 22, false),
    ("loong64", 64, 258, true),
    ("mips64le", 64, 8, true),
    ("mips64", 64, 8, false),
    ("ppc64", 64, 21, false),
];

/// The file that a command starts: the first that its user may execute, as the container's runtime
/// goes along `PATH`; without one, the first that is there.
pub(crate) fn chosen<'a>(who: &Identity, command: &'a Command) -> Option<&'a Lookup> {
    choose(who, &command.tried)
}

fn choose<'a>(who: &Identity, tried: &'a [Lookup]) -> Option<&'a Lookup> {
    let files = || tried.iter().filter(|lookup| lookup.found_kind(Kind::File).is_some());
    files().find(|lookup| refusal(who, lookup).is_none()).or_else(|| files().next())
}

/// Everything that keeps a command from starting.
pub(crate) fn problems(subject: &Subject<'_>, who: &Identity, command: &Command) -> Vec<Problem> {
    let mut problems = Vec::new();
    match chosen(who, command) {
        None => problems.push(not_found(command)),
        Some(lookup) => {
            let judge = Judge { who, platform: subject.platform, input: subject.input };
            judge.file(lookup, Question::Executable, &mut problems);
        }
    }
    problems
}

fn not_found(command: &Command) -> Problem {
    let name = command.argv.first().map_or("", String::as_str);
    let message = match command.tried.as_slice() {
        [only] if name.contains('/') => match (&only.found, &only.trouble) {
            (Some(found), _) => format!("{} is a {}", only.path, found.attributes.kind),
            (None, Some(trouble)) => format!("{} cannot be reached: {trouble}", only.path),
            (None, None) => format!("{} does not exist in the image", only.path),
        },
        tried => {
            let folder = |lookup: &Lookup| {
                let path = &lookup.path;
                path.strip_suffix(name).unwrap_or(path).trim_end_matches('/').to_owned()
            };
            let folders: Vec<_> = tried.iter().map(folder).collect();
            format!("\"{name}\" is in none of the folders of PATH ({})", folders.join(":"))
        }
    };
    Problem { question: Question::Found, file: None, message, help: None }
}

struct Judge<'a> {
    who: &'a Identity,
    platform: &'a str,
    input: Input,
}

impl Judge<'_> {
    /// A file that is to be executed; `question` is the check that a refusal belongs to. The depth
    /// of interpreters is bounded by the evidence.
    fn file(&self, lookup: &Lookup, question: Question, problems: &mut Vec<Problem>) {
        let Some(target) = lookup.found_kind(Kind::File) else { return };
        if let Some(refusal) = refusal(self.who, lookup) {
            problems.push(about(target, question, refusal));
        }
        let Some(program) = &target.program else { return };
        match program.as_ref() {
            Program::Elf { .. } => self.elf(target, program, problems),
            Program::Script { .. } => {
                // Unlike a program, which the kernel reads, a script is read as the user.
                if refusal(self.who, lookup).is_none() {
                    let refusal = unreadable(self.who, lookup);
                    problems.extend(refusal.map(|message| about(target, question, message)));
                }
                self.script(target, program, problems);
            }
            Program::Corrupt { reason } => {
                let message = format!("{} is a damaged program: {reason}", target.path);
                problems.push(about(target, Question::Machine, message));
            }
            Program::Text => {
                let message = format!("{} is text without a #! line", target.path);
                problems.push(about(target, Question::Format, message));
            }
            Program::Empty => {
                let message = format!("{} is empty", target.path);
                problems.push(about(target, Question::Format, message));
            }
            Program::Unknown => {
                let message = format!("{} is neither a program nor a script", target.path);
                problems.push(about(target, Question::Format, message));
            }
            Program::Unread { reason } => {
                let message = format!("{} cannot be looked at: {reason}", target.path);
                problems.push(about(target, Question::Script, message));
            }
        }
    }

    fn elf(&self, target: &Target, program: &Program, problems: &mut Vec<Problem>) {
        let Program::Elf { bits, machine, little_endian, loader } = program else { return };
        let found = machine_from(*bits, *machine, *little_endian);
        if let Some(wanted) = machine_of(self.platform)
            && wanted != found
        {
            let built = MACHINES
                .iter()
                .find(|(_, bits, machine, little)| found == machine_from(*bits, *machine, *little))
                .map_or("another machine", |(name, ..)| name);
            let message =
                format!("{} is built for {built}, the image is {}", target.path, self.platform);
            problems.push(about(target, Question::Machine, message));
            return;
        }
        let Some(loader) = loader else { return };
        if loader.found_kind(Kind::File).is_none() {
            problems.push(missing_loader(target, &loader.path));
        } else if let Some(refusal) = refusal(self.who, loader) {
            let message = format!("{} cannot be loaded: {refusal}", target.path);
            problems.push(about(target, Question::Machine, message));
        }
    }

    fn script(&self, target: &Target, program: &Program, problems: &mut Vec<Problem>) {
        let Program::Script { interpreter, env, carriage_return, too_long, .. } = program else {
            return;
        };
        let path = &target.path;
        if *carriage_return {
            let message = format!("{path} has a #! line that ends in a carriage return");
            let problem = about(target, Question::Script, message);
            problems
                .push(Problem { help: Some("save it with Unix line ends".to_owned()), ..problem });
            return; // every name on that line is wrong
        }
        if *too_long {
            let message = format!("{path} has a #! line of more than 255 bytes");
            problems.push(about(target, Question::Script, message));
        }
        if interpreter.found_kind(Kind::File).is_none() {
            let message =
                format!("{path} needs {}, which the image does not have", interpreter.path);
            problems.push(Problem {
                help: by_itself(self.input, env.as_deref(), path),
                ..about(target, Question::Script, message)
            });
            return;
        }
        self.file(interpreter, Question::Script, problems);
        if let Some(env) = env {
            self.env(target, env, problems);
        }
    }

    fn env(&self, target: &Target, env: &EnvProgram, problems: &mut Vec<Problem>) {
        if let Some(lookup) = choose(self.who, &env.tried) {
            return self.file(lookup, Question::Script, problems);
        }
        let message = format!("{} needs \"{}\", which is not in PATH", target.path, env.name);
        problems.push(about(target, Question::Script, message));
    }
}

/// DHI's runtime images have no `env`: the most frequent reason why a migrated image is dead.
fn by_itself(input: Input, env: Option<&EnvProgram>, script: &str) -> Option<String> {
    env.map(|env| match input {
        Input::Spec => format!("start it as `[{}, {script}]`", env.name),
        Input::Dockerfile => format!("start it as `ENTRYPOINT [\"{}\", \"{script}\"]`", env.name),
    })
}

fn missing_loader(target: &Target, loader: &str) -> Problem {
    let libc = if loader.contains("ld-musl") {
        " (it is linked with musl, as on Alpine)"
    } else if loader.contains("ld-linux") || loader.contains("ld64") {
        " (it is linked with glibc)"
    } else {
        ""
    };
    let message = format!("{} needs {loader}, which the image does not have{libc}", target.path);
    about(target, Question::Machine, message)
}

fn about(target: &Target, question: Question, message: String) -> Problem {
    Problem { question, file: Some((target.path.clone(), target.layer)), message, help: None }
}

/// Refuses to decide for a machine that nothing is known of.
pub(crate) fn require_machine(platform: &str) -> Result<(), String> {
    let unknown = || format!("the machine of {} is not known", escape(platform.as_bytes()));
    machine_of(platform).map(drop).ok_or_else(unknown)
}

fn machine_of(platform: &str) -> Option<Machine> {
    let architecture = platform.split('/').nth(1)?;
    let known = MACHINES.iter().find(|(name, ..)| *name == architecture)?;
    Some(machine_from(known.1, known.2, known.3))
}

const fn machine_from(bits: u8, number: u16, little_endian: bool) -> Machine {
    Machine { bits, number, little_endian }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_without_env_is_started_by_its_program_in_the_words_of_the_file() {
        let env = EnvProgram { name: "nodee".to_owned(), tried: Vec::new() };
        let said = |input| by_itself(input, Some(&env), "/run.sh").unwrap_or_default();
        assert_eq!(said(Input::Spec), "start it as `[nodee, /run.sh]`");
        assert_eq!(said(Input::Dockerfile), "start it as `ENTRYPOINT [\"nodee\", \"/run.sh\"]`");
    }
}
