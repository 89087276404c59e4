//! How a build was refused, taken apart: every mistake with its place, the excerpts that the client
//! drew, and the whole text.

use super::command::Outcome;

/// One mistake: `FILE:LINE:COLUMN: error[CODE]: MESSAGE` and the help below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as the message names it; empty if it names none.
    pub file: String,
    /// Line and column.
    pub place: (u32, u32),
    /// `error` or `warning`.
    pub severity: String,
    /// The stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead; empty if nothing is said.
    pub help: String,
}

/// A refused build.
#[derive(Debug)]
pub struct Refusal {
    /// The mistakes of the last error message, in its order.
    pub mistakes: Vec<Mistake>,
    /// The lines that the client marked in its excerpts, each once.
    pub marked: Vec<u32>,
    /// All that the client wrote.
    pub outcome: Outcome,
}

impl Refusal {
    /// Reads what a client wrote.
    pub fn of(outcome: Outcome) -> Self {
        let text = last_error(&outcome.stderr);
        let mistakes = mistakes(text);
        let mut marked: Vec<u32> = outcome.stderr.lines().filter_map(marked_line).collect();
        marked.sort_unstable();
        marked.dedup();
        Self { mistakes, marked, outcome }
    }

    /// The mistakes that stop the build.
    pub fn errors(&self) -> Vec<&Mistake> {
        self.mistakes.iter().filter(|mistake| mistake.severity == "error").collect()
    }

    /// The error message at the end, with what follows it.
    pub fn text(&self) -> &str {
        last_error(&self.outcome.stderr)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for one in &self.mistakes {
            writeln!(f, "{one:?}")?;
        }
        write!(f, "marked {:?}\n{}", self.marked, self.outcome)
    }
}

/// buildx ends with `ERROR: …`, buildctl with `error: …`.
fn last_error(text: &str) -> &str {
    let start = ["\nERROR: ", "\nerror: "].iter().filter_map(|word| text.rfind(word)).max();
    start.map_or(text, |start| &text[start + 1..])
}

fn mistakes(text: &str) -> Vec<Mistake> {
    let mut found: Vec<Mistake> = Vec::new();
    for line in text.lines() {
        if let Some(mistake) = mistake(line) {
            found.push(mistake);
        } else if let Some(last) = found.last_mut() {
            let help = line.strip_prefix("  help: ").or_else(|| line.strip_prefix("        "));
            last.help += help.unwrap_or_default();
        }
    }
    found
}

fn mistake(line: &str) -> Option<Mistake> {
    let (severity, at) = [("error", line.find("error[")), ("warning", line.find("warning["))]
        .into_iter()
        .find_map(|(severity, at)| Some((severity, at?)))?;
    let (code, message) = line[at + severity.len() + 1..].split_once("]: ")?;
    let head = line[..at].trim_end().trim_end_matches(':');
    let word = head.rsplit(' ').next().unwrap_or_default();
    let mut parts = word.rsplitn(3, ':');
    let column = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let line = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    Some(Mistake {
        file: parts.next().unwrap_or_default().to_owned(),
        place: (line, column),
        severity: severity.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        help: String::new(),
    })
}

/// `   3 | >>> entrpoint: [node]`
fn marked_line(line: &str) -> Option<u32> {
    let (number, rest) = line.split_once('|')?;
    rest.trim_start().starts_with(">>>").then(|| number.trim().parse().ok())?
}
