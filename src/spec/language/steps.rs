//! The keys of steps and of the mounts of a `run`.

use super::{Key, Kind, MODE, Merges, PLATFORM, Shape, VARIABLES};

const PATHS: Kind = Kind::OneOrMore(&Kind::Text);
const EXCLUDE: Key =
    key!("exclude", PATHS, "[\"*.md\"]", "Patterns of what is left out, as in .dockerignore");
const FILE_MODE: Key = key!("mode", MODE, "0755", "The permissions of files; folders keep theirs");

/// What people write to give files to a user.
const CHOWN: (&str, &str) =
    ("chown", "what is placed belongs to root; paths that the app writes stand in `writable`");
const CHMOD: (&str, &str) = ("chmod", "write `mode`");

/// A `run` step.
pub(in crate::spec) static RUN: Shape = Shape {
    name: "run",
    title: "a `run` step",
    doc: "Runs a command in the stage",
    keys: &[&[
        key!(required "run",
            Kind::Any(&[Kind::Text, Kind::Filled(&Kind::Text)]),
            "npm ci --omit=dev",
            "Text: a script for `/bin/sh -e`, or for the interpreter of its `#!` line; a list: run as it is",),
        key!(
            "cache",
            Kind::OneOrMore(&Kind::Any(&[Kind::Text, Kind::Shape(&CACHE)])),
            "/root/.npm",
            "Folders that are kept from build to build",
        ),
        key!(
            "secret",
            Kind::OneOrMore(&Kind::Any(&[Kind::Text, Kind::Shape(&SECRET)])),
            "npmrc",
            "Secrets, in /run/secrets or as variables",
        ),
        key!(
            "ssh",
            Kind::Any(&[Kind::Flag, PATHS]),
            "true",
            "The ssh agent that `--ssh` gives, or several by their ids"
        ),
        key!(
            "bind",
            Kind::OneOrMore(&Kind::Shape(&BIND)),
            "{source: package.json, target: package.json}",
            "What is mounted read-only"
        ),
        key!("tmpfs", PATHS, "/tmp", "Folders in memory, empty and gone after the run"),
        key!("env", VARIABLES, "{CI: true}", "The environment of this run alone"),
        key!("workdir", Kind::Text, "packages/server", "The working directory of this run alone"),
        key!(
            "args",
            PATHS,
            "GIT_SHA",
            "Build arguments that it gets although its text does not mention them"
        ),
        key!("network", Kind::Words(&["none"]), "none", "`none`: runs without network"),
    ]],
    later: &[],
    instead: &[
        ("user", "stages run as root; nothing of them ships unless it is copied"),
        ("mount", "write `cache`, `secret`, `ssh`, `bind` or `tmpfs`"),
        ("mounts", "write `cache`, `secret`, `ssh`, `bind` or `tmpfs`"),
        ("environment", "write `env`"),
        ("shell", "write the interpreter as the first line of the script: `#!/bin/bash`"),
    ],
    merges: Merges::Never,
};

/// A `copy` step.
pub(in crate::spec) static COPY: Shape = Shape {
    name: "copy",
    title: "a `copy` step",
    doc: "Copies from the build context, a stage, an app, a named context or an image",
    keys: &[&[
        key!(required "copy", Kind::Any(&[Kind::Text, Kind::Filled(&Kind::Text)]), "[package.json, package-lock.json]", "Paths and patterns"),
        key!(
            "from",
            Kind::Text,
            "build",
            "A stage, an app, a named context or an image; the build context by default"
        ),
        key!("to", Kind::Text, "./", "The destination; by default each source keeps its path"),
        key!("parents", Kind::Flag, "true", "Keeps the paths of the sources below `to`"),
        EXCLUDE,
        FILE_MODE,
        key!("optional", Kind::Flag, "true", "Whether a source may be absent"),
        key!("platform", PLATFORM, "linux/amd64", "The platform of an image in `from`"),
    ]],
    later: &["libs"],
    instead: &[
        CHOWN,
        CHMOD,
        ("src", "write the sources behind `copy`"),
        ("source", "write the sources behind `copy`"),
        ("dest", "write `to`"),
        ("target", "write `to`"),
        (
            "link",
            "files are always placed so; a symbolic link is a step of its own: `link: TARGET` with `to`",
        ),
    ],
    merges: Merges::Never,
};

/// An `add` step.
pub(in crate::spec) static ADD: Shape = Shape {
    name: "add",
    title: "an `add` step",
    doc: "Unpacks a local archive, or fetches a URL or a git repository",
    keys: &[&[
        key!(required "add", Kind::Any(&[Kind::Text, Kind::Filled(&Kind::Text)]), "app.tar.gz", "Archives in the build context, or URLs"),
        key!("to", Kind::Text, "/opt/", "The destination; the working directory by default"),
        key!(
            "checksum",
            Kind::Any(&[CHECKSUM, Kind::Map("^[a-z0-9/]+$", &CHECKSUM)]),
            "sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "The checksum of a URL, or one for each platform",
        ),
        key!(
            "unpack",
            Kind::Flag,
            "true",
            "Whether archives are unpacked; by default local ones are, fetched ones are not"
        ),
        EXCLUDE,
        FILE_MODE,
    ]],
    later: &[],
    instead: &[
        CHOWN,
        CHMOD,
        ("from", "`add` takes from the build context and from URLs; write `copy` with `from`"),
        ("sha256", "write `checksum: sha256:…`"),
        ("extract", "write `unpack`"),
        ("target", "write `to`"),
        ("dest", "write `to`"),
    ],
    merges: Merges::Never,
};

/// A digest, as far as a pattern can say it.
const CHECKSUM: Kind = Kind::Pattern("^sha256:[0-9a-f]{64}$");

/// A `write` step.
pub(in crate::spec) static WRITE: Shape = Shape {
    name: "write",
    title: "a `write` step",
    doc: "Writes a small file",
    keys: &[&[
        key!(required "write", Kind::Text, "/etc/nginx/conf.d/app.conf", "The file"),
        key!(required "content", Kind::Text, "\"listen 8080;\"", "What is in it, as it stands: nothing is replaced"),
        key!("mode", MODE, "0644", "Its permissions; 0644 by default"),
    ]],
    later: &[],
    instead: &[
        CHOWN,
        CHMOD,
        ("text", "write `content`"),
        ("path", "write the path behind `write`"),
        ("to", "write the path behind `write`"),
        ("from", "write `copy` with `from` for files of a stage"),
    ],
    merges: Merges::Never,
};

/// A `mkdir` step.
pub(in crate::spec) static MKDIR: Shape = Shape {
    name: "mkdir",
    title: "a `mkdir` step",
    doc: "Makes folders and their parents",
    keys: &[&[
        key!(required "mkdir", Kind::Any(&[Kind::Text, Kind::Filled(&Kind::Text)]), "/data", "The folders"),
        key!("mode", MODE, "0755", "Their permissions; 0755 by default"),
    ]],
    later: &[],
    instead: &[CHOWN, CHMOD],
    merges: Merges::Never,
};

/// A `link` step.
pub(in crate::spec) static LINK: Shape = Shape {
    name: "link",
    title: "a `link` step",
    doc: "Makes a symbolic link",
    keys: &[&[
        key!(required "link", Kind::Text, "/opt/venv/bin/python", "What the link says"),
        key!(required "to", Kind::Text, "/usr/local/bin/python", "Where the link is"),
    ]],
    later: &[],
    instead: &[("target", "write the target behind `link`, and where the link is behind `to`")],
    merges: Merges::Never,
};

/// A `packages` step.
pub(in crate::spec) static PACKAGES: Shape = Shape {
    name: "packages",
    title: "a `packages` step",
    doc: "Installs packages of the operating system into the stage",
    keys: &[&[
        key!(required "packages", Kind::Any(&[Kind::Text, Kind::Filled(&Kind::Text)]), "[libpq-dev]", "Their names"),
    ]],
    later: &[],
    instead: &[],
    merges: Merges::Never,
};

/// `cache` in its long form.
pub(in crate::spec) static CACHE: Shape = Shape {
    name: "cache",
    title: "a cache",
    doc: "A folder that is kept from build to build",
    keys: &[&[
        key!(required "path", Kind::Text, "/root/.npm", "Where it is mounted"),
        key!("id", Kind::Text, "npm", "Runs with the same id share it; the path by default"),
        key!(
            "sharing",
            Kind::Words(&["shared", "private", "locked"]),
            "locked",
            "How concurrent runs use it; `shared` by default"
        ),
    ]],
    later: &[],
    instead: &[("target", "write `path`"), ("mode", "a cache belongs to root")],
    merges: Merges::Never,
};

/// `secret` in its long form.
pub(in crate::spec) static SECRET: Shape = Shape {
    name: "secret",
    title: "a secret",
    doc: "A secret that `--secret` gives",
    keys: &[&[
        key!(required "id", Kind::Text, "npm_token", "Its id"),
        key!("env", Kind::Pattern(super::ARGUMENT_NAME), "NPM_TOKEN", "The variable that holds it"),
        key!(
            "target",
            Kind::Text,
            "/root/.npmrc",
            "The file that holds it; /run/secrets/ID by default"
        ),
        key!("optional", Kind::Flag, "true", "Whether the build goes on without it"),
    ]],
    later: &[],
    instead: &[
        ("required", "a secret is required unless `optional: true` is written"),
        ("path", "write `target`"),
    ],
    merges: Merges::Never,
};

/// `bind`.
pub(in crate::spec) static BIND: Shape = Shape {
    name: "bind",
    title: "a bind mount",
    doc: "Something that is mounted read-only",
    keys: &[&[
        key!(
            "from",
            Kind::Text,
            "build",
            "A stage, a named context or an image; the build context by default"
        ),
        key!("source", Kind::Text, "package.json", "The path in it; its root by default"),
        key!(
            "target",
            Kind::Text,
            "package.json",
            "Where it is mounted; the working directory by default"
        ),
    ]],
    later: &[],
    instead: &[
        ("path", "write `source` and `target`"),
        ("to", "write `target`"),
        ("src", "write `source`"),
    ],
    merges: Merges::Never,
};
