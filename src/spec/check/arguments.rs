//! Build arguments: every `${NAME}` has the right form, and where only arguments can be meant, its
//! name is declared.

use std::collections::BTreeSet;

use super::super::model::{Spec, Step};
use super::super::template::{self, Mention, is_name};
use super::Report;
use super::texts::{self, Names};
use crate::diagnostic::{Code, Diagnostic, Text};
use crate::spec::model::PLATFORM_NAMES;
use crate::words::quoted;

/// Looks at all uses of build arguments.
pub(super) fn check(spec: &Spec, report: &mut Report) {
    let declared: BTreeSet<&str> = spec
        .args
        .iter()
        .map(|argument| argument.name.value.as_str())
        .chain(PLATFORM_NAMES.iter().copied())
        .collect();
    check_defaults(spec, &declared, report);
    for (text, names) in texts::of(spec) {
        let mut reported = BTreeSet::new();
        for mention in read_mentions(text, report) {
            let known = names == Names::Environment || declared.contains(mention.name.as_str());
            if !known && reported.insert(mention.name.clone()) {
                let meant = report.guesses.nearest(&mention.name, declared.iter().copied());
                report.problems.push(template::undeclared(&mention.name, mention.span, meant));
            }
        }
    }
    check_listed(spec, &declared, report);
}

fn read_mentions(text: &Text, report: &mut Report) -> Vec<Mention> {
    template::mentions(text).unwrap_or_else(|problem| {
        report.problems.push(problem);
        Vec::new()
    })
}

/// A default may use the arguments above it, so that there is an order and no cycle.
fn check_defaults(spec: &Spec, declared: &BTreeSet<&str>, report: &mut Report) {
    let mut above: BTreeSet<&str> = PLATFORM_NAMES.iter().copied().collect();
    for argument in &spec.args {
        if let Some(default) = &argument.default {
            for mention in read_mentions(default, report) {
                let name = mention.name.as_str();
                if above.contains(name) {
                    continue;
                }
                if declared.contains(name) {
                    let shown = quoted(&format!("${{{name}}}"));
                    let message =
                        format!("{shown} is declared only below {}", quoted(&argument.name.value));
                    let help =
                        format!("a default may use the arguments above it: declare `{name}` first");
                    report.problems.push(
                        Diagnostic::error(Code::UnknownArgument, mention.span, message).help(help),
                    );
                } else {
                    let meant = report.guesses.nearest(name, above.iter().copied());
                    report.problems.push(template::undeclared(name, mention.span, meant));
                }
            }
        }
        above.insert(&argument.name.value);
    }
}

/// `args` of a `run`.
fn check_listed(spec: &Spec, declared: &BTreeSet<&str>, report: &mut Report) {
    let steps = spec.stages.iter().flat_map(|stage| &stage.steps);
    for step in steps {
        let Step::Run(run) = step else { continue };
        for name in run
            .args
            .iter()
            .filter(|name| is_name(&name.value) && !declared.contains(name.value.as_str()))
        {
            let message = format!("the build argument {} is not declared", quoted(&name.value));
            let help = match report.guesses.nearest(&name.value, declared.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => {
                    format!("declare it with `args: {{{}: default}}` at the top level", name.value)
                }
            };
            report
                .problems
                .push(Diagnostic::error(Code::UnknownArgument, name.span, message).help(help));
        }
    }
}
