//! The images, built: through hardpan, whose gate speaks, and by docker/dockerfile, whose image is
//! what others look at.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::thread;

use crate::cases::{CASES, Case};
use crate::support::build::{Build, Door, fresh_name};
use crate::support::image::Image;
use crate::support::progress::Progress;
use crate::support::project::Project;
use crate::support::refusal::Refusal;
use crate::support::registry::read_image;

/// As many builds at once.
const BUILDERS: usize = 4;
/// The images that the cases name, and that nobody publishes: by name, the stage that makes them.
const STAGES: &[(&str, &str)] = &[
    ("example.org/tools:1", "tools"),
    ("example.org/no-user:1", "no-user"),
    ("example.org/node-with-dash:1", "node-with-dash"),
    ("example.org/node-with-bash:1", "node-with-bash"),
    ("example.org/node-without-database:1", "node-without-database"),
    ("example.org/node:latest", "node"),
];
const DOCKERFILE: &str = "FROM dhi.io/debian-base:trixie-dev AS tools
RUN apt-get update && apt-get install -y --no-install-recommends bash-static busybox-static curl libcap2-bin
RUN cp /usr/bin/true /capable && setcap cap_net_raw+ep /capable
RUN mkdir /status.d && for one in dash bash; do dpkg-query -s $one > /status.d/$one; done

FROM dhi.io/node:24 AS node
FROM scratch AS no-user
COPY --from=node / /
WORKDIR /app
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

FROM node AS node-with-dash
COPY --from=tools /status.d/dash /var/lib/dpkg/status.d/
COPY --from=tools /usr/bin/dash /usr/bin/dash

FROM node AS node-with-bash
COPY --from=tools /status.d/bash /var/lib/dpkg/status.d/
COPY --from=tools /usr/bin/bash /usr/bin/bash
COPY --from=tools /usr/lib/x86_64-linux-gnu/libtinfo.so.6 /usr/lib/x86_64-linux-gnu/

FROM node AS node-without-database
USER root
RUN --mount=type=bind,from=tools,source=/usr/bin,target=/tools [\"/tools/rm\", \"-rf\", \"/var/lib/dpkg\", \"/opt/docker\"]
USER node
";

/// `--build-context` for each of them, built once.
static CONTEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let project = Project::written(DOCKERFILE);
    let build = |(name, stage): &(&str, &str)| {
        let image = fresh_name();
        let target = format!("--target={stage}");
        project.build().args([target]).within(400).pushing_to(&image).run().succeeded();
        format!("--build-context={name}=docker-image://{image}")
    };
    STAGES.iter().map(build).collect()
});

/// Something of every case, in order, several at once.
pub(crate) fn each<T: Send>(of: impl Fn(&Case) -> T + Sync) -> Vec<T> {
    let of = &of;
    let some = move |first: usize| {
        let mine = CASES.iter().enumerate().skip(first).step_by(BUILDERS);
        mine.map(|(number, case)| (number, of(case))).collect::<Vec<_>>()
    };
    let mut found: Vec<(usize, T)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..BUILDERS).map(|first| scope.spawn(move || some(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, one)| one).collect()
}

/// The Dockerfile of a case and what lies beside it.
pub(crate) fn project(case: &Case) -> Project {
    let project = Project::written(&case.dockerfile()).file("server.js", "console.log('up')\n");
    case.files.iter().fold(project, |project, (path, mode, content)| {
        project.file_with_mode(path, *mode, content.bytes())
    })
}

fn build(project: &Project) -> Build {
    project.build().args(&*CONTEXTS).within(240)
}

/// What the gate says: `refused: …` with the checks that refuse, `told: …` with those that warn.
pub(crate) fn says(case: &Case) -> String {
    let project = project(case);
    let outcome = build(&project).through(Door::Argument).program("rawjson").run();
    let warned = Progress::read(&outcome.stderr).warnings;
    let warned: BTreeSet<String> = warned.iter().filter_map(|text| check(text)).collect();
    if outcome.code == Some(0) {
        return said("told", warned);
    }
    let refusal = Refusal::of(outcome);
    let refused: BTreeSet<String> =
        refusal.errors().iter().map(|mistake| mistake.code.clone()).collect();
    assert!(!refused.is_empty(), "{}: {refusal}", case.title);
    said("refused", refused)
}

/// `RUN-06: …`, as warnings begin.
fn check(text: &str) -> Option<String> {
    let (id, _) = text.split_once(": ")?;
    let is_id = id.len() <= 8 && id.contains('-') && !id.contains(' ');
    is_id.then(|| id.to_owned())
}

fn said(word: &str, checks: BTreeSet<String>) -> String {
    let checks: Vec<_> = checks.into_iter().collect();
    if checks.is_empty() { String::new() } else { format!("{word}: {}", checks.join(" ")) }
}

/// The image as docker/dockerfile builds it.
pub(crate) fn image(case: &Case) -> Image {
    let (project, name) = (project(case), fresh_name());
    build(&project).pushing_to(&name).run().succeeded();
    read_image(&name)
}
