//! Build contexts and specs that are no folder of the client: from git, from the web, on stdin, as
//! inputs; the times that they give; and what cannot be fetched.

mod clients;
mod git;
mod refused;
mod time;
mod web;

use std::path::Path;

use crate::support::build::{BUILDX, Build, fresh_name};
use crate::support::command::Program;
use crate::support::environment::environment;
use crate::support::image::Image;
use crate::support::project::Project;
use crate::support::refusal::Refusal;
use crate::support::registry::read_image;

const SPEC: &str = "
    base: node:24
    image:
      - copy: .
        to: /srv
    entrypoint: [node]
";

/// A spec that places its whole context in /srv, with a file that Docker would leave out of a folder.
fn project() -> Project {
    let deep =
        format!("# syntax={}\n{}", environment().syntax, crate::support::project::dedent(SPEC));
    Project::new(SPEC)
        .file("a.txt", "a")
        .file("hidden.txt", "h")
        .file(".dockerignore", "hidden.txt\n")
        .file("deep/b.txt", "b")
        .file("deep/hardpan.yaml", deep)
}

/// A build of an address with a spec that lies there.
fn build(address: &str) -> Build {
    Build::new(Path::new(address), Path::new("hardpan.yaml"))
}

/// The files below /srv of an image.
fn files(image: &Image) -> Vec<String> {
    let listing = image.listing();
    let below = listing.nodes.iter().filter(|(_, node)| node.kind != 'd');
    below.filter_map(|(path, _)| path.strip_prefix("srv/").map(str::to_owned)).collect()
}

/// What is below /srv when everything of `project` is there: `.dockerignore` is for folders.
const ALL: [&str; 6] =
    [".dockerignore", "a.txt", "deep/b.txt", "deep/hardpan.yaml", "hardpan.yaml", "hidden.txt"];
/// The same for its folder `deep`.
const DEEP: [&str; 2] = ["b.txt", "hardpan.yaml"];

/// `buildctl build` of the frontend with options; none of the client's folders.
fn buildctl(options: &[&str]) -> Program {
    let address = &environment().host;
    let program = Program::new("buildctl --addr").args([address.as_str(), "build"]);
    let source = format!("--opt=source={}", environment().syntax);
    let program = program.args(["--frontend=gateway.v0", "--progress=plain", &source]);
    program.args(options.iter().map(|option| format!("--opt={option}"))).within(120)
}

/// The image of such a build.
#[track_caller]
fn pushed(program: Program) -> Image {
    let name = fresh_name();
    program.args([format!("--output=type=image,name={name},push=true")]).run().succeeded();
    read_image(&name)
}

#[track_caller]
fn refused(program: Program) -> Refusal {
    Refusal::of(program.run().failed())
}

/// `docker buildx build` with something on stdin.
fn fed(args: &[&str], input: Vec<u8>, folder: &Path) -> Program {
    let program = Program::new(*BUILDX).args(["build", "--progress=plain", "--builder"]);
    let program = program.args([environment().builder.as_str()]).args(args).at(folder);
    program.env("NO_COLOR", "1").input(input).within(120)
}
