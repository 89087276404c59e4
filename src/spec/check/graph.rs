//! Who copies from whom: names that nothing has, names that mean two things, cycles, stages that
//! nothing needs.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::{App, Base, Place, Spec, Stage, Step};
use super::super::template::is_open;
use super::super::value::reference::is_image;
use super::Report;
use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::words::{Guesses, listed, quoted};

/// How many names of a cycle are shown.
const SHOWN: usize = 8;

/// What may stand at a place where a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// `copy` with `from`.
    StageOrApp,
    /// `bind` with `from`, and the base of a stage.
    Stage,
}

/// A stage or an app; apps of a file without `apps` have no name that could be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Stage(usize),
    App(usize),
}

/// Looks at all names.
pub(super) fn check(spec: &Spec, report: &mut Report) {
    let mut graph = Graph::new(spec);
    for (index, stage) in spec.stages.iter().enumerate() {
        for (text, wanted) in names_in_stage(stage) {
            graph.resolve(Node::Stage(index), text, wanted, report);
        }
    }
    for (index, app) in spec.apps.iter().enumerate() {
        for text in names_in_app(app) {
            graph.resolve(Node::App(index), text, Wanted::StageOrApp, report);
        }
    }
    graph.find_cycles(report);
    if report.complete {
        graph.find_unused(report);
    }
}

fn names_in_stage(stage: &Stage) -> Vec<(&Text, Wanted)> {
    let mut names = Vec::new();
    if let Some(Base::Name(name)) = &stage.base {
        names.push((name, Wanted::Stage));
    }
    for step in &stage.steps {
        match step {
            Step::Run(run) => names.extend(
                run.binds.iter().filter_map(|bind| Some((bind.from.as_ref()?, Wanted::Stage))),
            ),
            Step::Place(Place::Copy(copy)) => {
                names.extend(copy.from.iter().map(|from| (from, Wanted::StageOrApp)));
            }
            Step::Place(_) | Step::Packages { .. } => {}
        }
    }
    names
}

fn names_in_app(app: &App) -> Vec<&Text> {
    app.image
        .iter()
        .filter_map(|place| if let Place::Copy(copy) = place { copy.from.as_ref() } else { None })
        .collect()
}

struct Graph<'a> {
    spec: &'a Spec,
    stages: BTreeMap<&'a str, usize>,
    apps: BTreeMap<&'a str, usize>,
    /// From each node to what it needs, and where that is written.
    edges: BTreeMap<Node, Vec<(Node, Span)>>,
}

impl<'a> Graph<'a> {
    fn new(spec: &'a Spec) -> Self {
        let stages = spec
            .stages
            .iter()
            .enumerate()
            .map(|(index, stage)| (stage.name.value.as_str(), index))
            .collect();
        let apps = if spec.named_apps { spec.apps.as_slice() } else { &[] };
        let apps =
            apps.iter().enumerate().map(|(index, app)| (app.name.value.as_str(), index)).collect();
        Self { spec, stages, apps, edges: BTreeMap::new() }
    }

    fn resolve(&mut self, user: Node, text: &Text, wanted: Wanted, report: &mut Report) {
        let name = text.value.as_str();
        if is_open(name) || name.trim().is_empty() {
            return;
        }
        let stage = self.stages.get(name).map(|index| Node::Stage(*index));
        let app = self.apps.get(name).map(|index| Node::App(*index));
        match (stage, app, wanted) {
            (Some(_), Some(_), Wanted::StageOrApp) => {
                let message = format!("{} is a stage and an app", quoted(name));
                report.problems.push(
                    Diagnostic::error(Code::AmbiguousName, text.span, message)
                        .help("give one of them another name"),
                );
            }
            (Some(node), _, _) | (None, Some(node), Wanted::StageOrApp) => {
                self.edges.entry(user).or_default().push((node, text.span));
            }
            (None, Some(_), Wanted::Stage) => {
                let message =
                    format!("{} is an app, where a stage or an image is needed", quoted(name));
                let help = "write the stage that makes the files; `copy` can take them from an app";
                report
                    .problems
                    .push(Diagnostic::error(Code::UnknownStage, text.span, message).help(help));
            }
            (None, None, _) => {
                let problem = self.unknown(text, wanted, &mut report.guesses);
                report.problems.extend(problem);
            }
        }
    }

    /// A name that is no stage and no app can still be a named context or an image.
    fn unknown(&self, text: &Text, wanted: Wanted, guesses: &mut Guesses) -> Option<Diagnostic> {
        let name = text.value.as_str();
        let apps = self.apps.keys().filter(|_| wanted == Wanted::StageOrApp);
        let known: BTreeSet<&str> = self.stages.keys().chain(apps).copied().collect();
        let image = is_image(name);
        if image && name.contains(['/', ':', '@']) {
            return None;
        }
        let meant = guesses.nearest(name, known.iter().copied());
        if image {
            let meant = meant?;
            let message = format!(
                "{} is no stage, so it is taken as a named context or an image",
                quoted(name)
            );
            return Some(
                Diagnostic::warning(Code::UnknownStage, text.span, message)
                    .help(format!("did you mean `{meant}`?")),
            );
        }
        let message = format!("there is no stage {}, and no image can be called so", quoted(name));
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.is_empty() => {
                "write the name of a named context or of an image, such as `node:24`".to_owned()
            }
            None => format!("the names in this file are {}", listed(known)),
        };
        // The base of a stage was looked at as an image by the decoder.
        let reported =
            self.spec.stages.iter().any(
                |stage| matches!(&stage.base, Some(Base::Name(base)) if base.span == text.span),
            );
        (!reported).then(|| Diagnostic::error(Code::UnknownStage, text.span, message).help(help))
    }

    fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        (0..self.spec.stages.len()).map(Node::Stage).chain((0..self.spec.apps.len()).map(Node::App))
    }

    fn name(&self, node: Node) -> &str {
        match node {
            Node::Stage(index) => {
                self.spec.stages.get(index).map_or("", |stage| stage.name.value.as_str())
            }
            Node::App(index) => self.spec.apps.get(index).map_or("", |app| app.name.value.as_str()),
        }
    }

    /// Depth first, with an own stack: a file may hold thousands of stages.
    fn find_cycles(&self, report: &mut Report) {
        let mut done = BTreeSet::new();
        for start in self.nodes() {
            let mut path: Vec<(Node, usize)> = vec![(start, 0)];
            let mut on_path = BTreeSet::from([start]);
            while let Some((node, next)) = path.last_mut() {
                let node = *node;
                let edge = self.edges.get(&node).and_then(|edges| edges.get(*next)).copied();
                *next += 1;
                match edge {
                    None => {
                        done.insert(node);
                        on_path.remove(&node);
                        path.pop();
                    }
                    Some((needed, span)) if on_path.contains(&needed) => {
                        let names =
                            path.iter().map(|(node, _)| *node).skip_while(|node| *node != needed);
                        report.problems.push(self.cycle(&names.collect::<Vec<_>>(), span));
                    }
                    Some((needed, _)) if !done.contains(&needed) => {
                        on_path.insert(needed);
                        path.push((needed, 0));
                    }
                    Some(_) => {}
                }
            }
            done.insert(start);
        }
    }

    fn cycle(&self, nodes: &[Node], span: Span) -> Diagnostic {
        let mut names: Vec<String> =
            nodes.iter().take(SHOWN).map(|node| quoted(self.name(*node))).collect();
        if nodes.len() > SHOWN {
            names.push(format!("… {} more", nodes.len() - SHOWN));
        }
        names.extend(names.first().cloned());
        let message = match nodes {
            [one] => format!("{} needs itself", quoted(self.name(*one))),
            _ => format!("stages wait for each other: {}", names.join(" needs ")),
        };
        Diagnostic::error(Code::StageCycle, span, message)
            .help("move what both need into a stage of its own")
    }

    /// A stage that no image needs never runs: mostly a forgotten `from`.
    fn find_unused(&self, report: &mut Report) {
        let apps = (0..self.spec.apps.len()).map(Node::App);
        let mut waiting: Vec<Node> = apps.collect();
        let mut needed: BTreeSet<Node> = waiting.iter().copied().collect();
        while let Some(node) = waiting.pop() {
            for (next, _) in self.edges.get(&node).into_iter().flatten() {
                if needed.insert(*next) {
                    waiting.push(*next);
                }
            }
        }
        let open = self.spec.apps.iter().flat_map(names_in_app).any(|name| is_open(&name.value));
        if open || self.spec.apps.iter().any(|app| !app.image_written) {
            return; // a name that is known later may be the stage; a missing `image` is reported
        }
        for (index, stage) in self.spec.stages.iter().enumerate() {
            if !needed.contains(&Node::Stage(index)) {
                let name = &stage.name.value;
                let message = format!(
                    "nothing is copied from the stage {}, so it does not run",
                    quoted(name)
                );
                let help =
                    format!("copy what it makes: `- {{copy: ., from: {name}}}` below `image`");
                report.problems.push(
                    Diagnostic::warning(Code::UnusedStage, stage.name.span, message).help(help),
                );
            }
        }
    }
}
