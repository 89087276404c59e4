//! Which steps of a stage on the builder's platform are made for one target alone: the first that
//! names the target, and all after it. Those before it are shared by all targets.

use crate::diagnostic::Text;
use crate::plan::variables::is_target_name;
use crate::spec::model::PLATFORM_NAMES;
use crate::spec::model::{Base, Bind, Cache, Checksum, Command, Place, Run, Stage, Step};
use crate::spec::template::mentions_word;

/// Whether a stage names the target for all of its steps.
pub(super) fn stage_names_target(stage: &Stage) -> bool {
    let base = match &stage.base {
        Some(Base::Name(text) | Base::Pair { dev: Some(text), .. }) => Some(text),
        _ => None,
    };
    let env = stage.env.iter().map(|variable| &variable.value);
    let caches = stage.cache.iter().flat_map(of_cache);
    base.into_iter().chain(&stage.workdir).chain(env).chain(caches).any(names_target)
}

/// Whether a step names the target.
pub(super) fn step_names_target(step: &Step) -> bool {
    match step {
        Step::Run(run) => run_names_target(run),
        Step::Place(place) => place_names_target(place),
        Step::Packages { names, .. } => names.iter().any(names_target),
    }
}

fn run_names_target(run: &Run) -> bool {
    let command = match &run.command {
        Command::Script(text) => std::slice::from_ref(text),
        Command::Exec(words) => words.value.as_slice(),
    };
    let env = run.env.iter().map(|variable| &variable.value);
    let caches = run.cache.iter().flat_map(of_cache);
    let binds = run.binds.iter().flat_map(of_bind);
    let rest = run.args.iter().chain(&run.tmpfs).chain(&run.workdir);
    command.iter().any(|text| names_target(text) || calls_xx(text))
        || env.chain(caches).chain(binds).chain(rest).any(names_target)
}

fn place_names_target(place: &Place) -> bool {
    match place {
        Place::Copy(copy) => {
            let rest = copy.from.iter().chain(&copy.to).chain(&copy.platform);
            copy.sources.iter().chain(&copy.exclude).chain(rest).any(names_target)
        }
        Place::Add(add) => {
            // Which of several checksums is meant depends on the target.
            matches!(add.checksum, Some(Checksum::PerPlatform(_)))
                || add.sources.iter().chain(&add.exclude).chain(&add.to).any(names_target)
        }
        Place::Write(write) => names_target(&write.path),
        Place::Mkdir(mkdir) => mkdir.paths.iter().any(names_target),
        Place::Link(link) => names_target(&link.target) || names_target(&link.to),
    }
}

fn of_cache(cache: &Cache) -> impl Iterator<Item = &Text> {
    [&cache.path].into_iter().chain(&cache.id)
}

fn of_bind(bind: &Bind) -> impl Iterator<Item = &Text> {
    bind.from.iter().chain(&bind.source).chain(&bind.target)
}

fn names_target(text: &Text) -> bool {
    PLATFORM_NAMES.iter().any(|name| is_target_name(name) && mentions_word(&text.value, name))
}

/// Whether a script calls one of the programs for cross-compiling, such as `xx-go`.
fn calls_xx(text: &Text) -> bool {
    let is_border = |character: char| character.is_whitespace() || ";&|(`".contains(character);
    text.value.split(is_border).any(|word| word.starts_with("xx-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first line of each step that names the target, of a stage given in YAML.
    #[track_caller]
    fn named(steps: &str) -> Vec<u32> {
        let spec = format!(
            "base: node:24\nimage: [{{copy: /x, from: build}}]\nentrypoint: [x]\nbuild:\n{steps}"
        );
        let parsed = crate::spec::parse(spec.as_bytes()).unwrap();
        let stage = &parsed.spec.stages[0];
        assert!(!stage_names_target(stage));
        let steps = stage.steps.iter().filter(|step| step_names_target(step));
        let line = |step: &Step| match step {
            Step::Run(run) => run.span.start.line,
            Step::Place(place) => place.span().start.line,
            Step::Packages { span, .. } => span.start.line,
        };
        steps.map(|step| line(step) - 4).collect()
    }

    #[test]
    fn finds_the_target_wherever_a_step_may_name_it() {
        let steps = "  - run: make $TARGETARCH\n  - run: make $MY_TARGETARCH\n  - run: [make, \"${TARGETOS}\"]\n  \
                     - {run: make, args: [TARGETPLATFORM]}\n  - {run: make, env: {A: \"${TARGETARCH}\"}}\n  \
                     - {run: make, cache: \"/c/${TARGETARCH}\"}\n  - run: cd x && xx-go build\n  \
                     - run: echo a-xx-b\n  - run: echo $BUILDARCH\n";
        assert_eq!(named(steps), [1, 3, 4, 5, 6, 7]);
        let steps = "  - copy: bin-${TARGETARCH}\n  - copy: bin\n  - {copy: bin, to: \"/x/${TARGETARCH}\"}\n  \
                     - mkdir: \"/${TARGETOS}\"\n  - {write: x, content: \"${TARGETOS}\"}\n  \
                     - {link: \"/${TARGETMACHINE}\", to: /l}\n  - packages: [\"gcc-${TARGETMACHINE}\"]\n";
        assert_eq!(named(steps), [1, 3, 4, 6, 7]);
    }
}
