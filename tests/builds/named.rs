//! Named contexts: every kind in every place where a name may stand, as `--build-context`, as options
//! of buildctl and from bake; pinned, and refused at the name where they cannot be used.

mod bake;
mod bases;
mod kinds;
mod refused;
mod stages;

use std::path::Path;

use tempfile::TempDir;

use crate::support::build::Build;
use crate::support::project::Project;

/// A spec on the smallest base, with a program to start, and more in its image.
fn on_static(more: &str) -> Project {
    Project::new(&format!(
        "base: {{runtime: ▸static:20250419}}\nimage:\n  - copy: start\n{more}entrypoint: [./start]\n"
    ))
    .program("start", "/sbin/ldconfig")
}

/// `--build-context NAME=VALUE`.
fn context(name: &str, value: &str) -> String {
    format!("--build-context={name}={value}")
}

/// A folder as the value of a context.
fn folder(project: &Project) -> String {
    project.path().display().to_string()
}

/// An OCI layout with what a Dockerfile gives.
fn layout(dockerfile: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let project = Project::written(dockerfile);
    build_layout(project.build(), folder.path());
    folder
}

fn build_layout(build: Build, folder: &Path) {
    let output = format!("--output=type=oci,tar=false,dest={}", folder.display());
    build.args([output, "--provenance=false".to_owned()]).run().succeeded();
}

/// The digest of the only image in a layout.
fn digest_in(layout: &Path) -> String {
    let index = std::fs::read(layout.join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    index["manifests"][0]["digest"].as_str().unwrap().to_owned()
}
