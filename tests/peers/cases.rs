//! The images of the comparison: a sound one, and what is written otherwise in each of the others.
//!
//! Dockle and Trivy cannot be installed by the clients of package registries; what they say is
//! their documented rule, applied by hand: dockle at 35171cc, trivy-checks at 80e53822, Trivy's
//! built-in rules for secrets.

use crate::files::{Content, program};

use Content::{Made, Text};

/// What every image is but for its own lines.
pub(crate) const SOUND: &str = "FROM dhi.io/node:24
WORKDIR /app
COPY server.js ./
USER 1000:1000
HEALTHCHECK CMD [\"node\", \"server.js\"]
ENTRYPOINT [\"node\", \"server.js\"]
";
pub(crate) const FROM: &str = "FROM dhi.io/node:24";
const USER: &str = "USER 1000:1000";
const CHECK: &str = "HEALTHCHECK CMD [\"node\", \"server.js\"]";
const START: &str = "ENTRYPOINT [\"node\", \"server.js\"]";
const COPY: &str = "COPY server.js ./";
/// Files more, with the sound lines as they are.
const MORE: &str = "";

/// What an image is in the table for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing is wrong with it: whoever objects is mistaken.
    Sound,
    /// Its root file system or its config is dangerous or dead.
    Defect,
    /// The text could be better; the image is as good.
    Text,
}

/// An image.
pub(crate) struct Case {
    pub(crate) kind: Kind,
    /// What is wrong with it, in a few words.
    pub(crate) title: &'static str,
    /// The line of the sound Dockerfile that is written otherwise; empty: lines are added.
    instead_of: &'static str,
    /// What is written.
    pub(crate) lines: &'static str,
    /// Another line that is left out.
    pub(crate) without: &'static str,
    /// What lies beside the Dockerfile.
    pub(crate) files: &'static [(&'static str, u32, Content)],
    /// What dockle says by its rules; empty: nothing.
    pub(crate) dockle: &'static str,
    /// What Trivy says by its rules.
    pub(crate) trivy: &'static str,
}

impl Case {
    /// The Dockerfile.
    pub(crate) fn dockerfile(&self) -> String {
        let mut text = String::new();
        for line in SOUND.lines() {
            let lines = match line {
                line if line == self.instead_of => ended(self.lines),
                line if line == self.without => String::new(),
                USER if self.instead_of == MORE => ended(self.lines) + &ended(USER),
                line => ended(line),
            };
            text += &lines;
        }
        text
    }
}

fn ended(lines: &str) -> String {
    if lines.is_empty() { String::new() } else { format!("{lines}\n") }
}

const fn case(title: &'static str, instead_of: &'static str, lines: &'static str) -> Case {
    let kind = Kind::Defect;
    Case { kind, title, instead_of, lines, without: "", files: &[], dockle: "", trivy: "" }
}

impl Case {
    const fn sound(self) -> Self {
        Self { kind: Kind::Sound, ..self }
    }

    const fn of_the_text(self) -> Self {
        Self { kind: Kind::Text, ..self }
    }

    const fn files(self, files: &'static [(&'static str, u32, Content)]) -> Self {
        Self { files, ..self }
    }

    const fn without(self, without: &'static str) -> Self {
        Self { without, ..self }
    }

    const fn said_by(self, dockle: &'static str, trivy: &'static str) -> Self {
        Self { dockle, trivy, ..self }
    }
}

const RUN: &str = "COPY run ./\nENTRYPOINT [\"./run\"]";
const STAGE: &str = "FROM dhi.io/debian-base:trixie-dev AS build\nRUN apt-get update && apt-get install -y zlib1g\n\nFROM dhi.io/node:24";
const PASSWD: &str = "root:x:0:0:root:/root:/sbin/nologin\nnode:x:1000:1000::/home/node:/sbin/nologin\ntoor:x:0:0::/root:/sbin/nologin\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END PRIVATE KEY-----\n";

/// All of them, in the order of the table.
pub(crate) const CASES: &[Case] = &[
    case("a sound image", MORE, "").sound(),
    case("no `USER` over a base that has one", MORE, "")
        .without(USER)
        .sound()
        .said_by("", "DS-0002"),
    // Who runs it.
    case("root", USER, "USER root").said_by("CIS-DI-0001", "DS-0002"),
    case("root as a number", USER, "USER 0").said_by("", "DS-0002"),
    case("root as two numbers", USER, "USER 0:0").said_by("", "DS-0002"),
    case("root as another number", USER, "USER 00"),
    case("root with its group", USER, "USER root:root").said_by("", "DS-0002"),
    case("a name that /etc/passwd maps to 0", USER, "COPY passwd /etc/passwd\nUSER toor")
        .files(&[("passwd", 0o644, Text(PASSWD))])
        .said_by("DKL-LI-0002", ""),
    case("a uid that does not fit", USER, "USER 4294967296"),
    case("no user at all", FROM, "FROM example.org/no-user:1")
        .without(USER)
        .said_by("CIS-DI-0001", "DS-0002"),
    case("a uid whose group is root's, as /etc/passwd does not have it", USER, "USER 2000"),
    case("an empty password", MORE, "COPY shadow /etc/shadow")
        .files(&[("shadow", 0o640, Text("root::19000:0:99999:7:::\n"))])
        .said_by("DKL-LI-0001", ""),
    // Shells.
    case(
        "busybox under another name",
        MORE,
        "COPY --from=example.org/tools:1 /bin/busybox /opt/server",
    ),
    case(
        "bash under another name",
        MORE,
        "COPY --from=example.org/tools:1 /bin/bash-static /app/x",
    ),
    case("a base with dash", FROM, "FROM example.org/node-with-dash:1"),
    case("a base with bash", FROM, "FROM example.org/node-with-bash:1"),
    case("a development image", FROM, "FROM dhi.io/node:24-dev").said_by("CIS-DI-0008", ""),
    case("`ENTRYPOINT` as a text for a shell", START, "ENTRYPOINT node server.js"),
    case("`HEALTHCHECK` as a text for a shell", CHECK, "HEALTHCHECK CMD node server.js"),
    // Rights.
    case("a set-id program", MORE, "COPY --chmod=4755 tool /opt/tool")
        .files(&[("tool", 0o755, Made(program::of_this_machine))])
        .said_by("CIS-DI-0008", ""),
    case("a program with capabilities", MORE, "COPY --from=example.org/tools:1 /capable /opt/tool"),
    case("a file that everybody may write", MORE, "COPY --chmod=0666 settings.json ./").files(&[(
        "settings.json",
        0o644,
        Text("{}\n"),
    )]),
    case("a volume for Docker's socket", MORE, "VOLUME /var/run/docker.sock"),
    case("code for every program", MORE, "ENV LD_PRELOAD=/app/x.so"),
    // Secrets.
    case("a private key", MORE, "COPY server.key /etc/tls/")
        .files(&[("server.key", 0o644, Text(KEY))])
        .said_by("", "private-key"),
    case("a token in .npmrc", MORE, "COPY .npmrc ./").files(&[(
        ".npmrc",
        0o644,
        Text("//registry.example.org/:_authToken=s3cr3tv4lu3\n"),
    )]),
    case("a secret in the environment", MORE, "ENV DB_PASSWORD=hunter2")
        .said_by("CIS-DI-0010", "DS-0031"),
    case("the history of the source", MORE, "COPY source ./")
        .files(&[("source/.git/HEAD", 0o644, Text("ref: refs/heads/main\n"))])
        .said_by("DKL-LI-0003", ""),
    // What does not belong there, or should.
    case("a deleted package database", FROM, "FROM example.org/node-without-database:1"),
    case("curl", MORE, "COPY --from=example.org/tools:1 /usr/bin/curl /usr/bin/curl"),
    case("a port for ssh", MORE, "EXPOSE 22").said_by("", "DS-0004"),
    case("certificates that are not checked", MORE, "ENV NODE_TLS_REJECT_UNAUTHORIZED=0"),
    // Will it run?
    case("a script whose `env` is not there", START, RUN).files(&[(
        "run",
        0o755,
        Text("#!/usr/bin/env node\nconsole.log(1)\n"),
    )]),
    case("a program of musl on glibc", START, RUN).files(&[("run", 0o755, Made(program::of_musl))]),
    case("a program for another processor", START, RUN).files(&[(
        "run",
        0o755,
        Made(program::of_arm64),
    )]),
    case("a program without its library", START, RUN).files(&[(
        "run",
        0o755,
        Made(program::that_lists),
    )]),
    case("a file to start that is not there", START, "ENTRYPOINT [\"node\", \"dist/main.js\"]"),
    // What the text could say better.
    case("a user by name", USER, "USER node").of_the_text(),
    case("no health check", MORE, "")
        .without(CHECK)
        .of_the_text()
        .said_by("CIS-DI-0006", "DS-0026"),
    case("`ADD` where `COPY` would do", COPY, "ADD server.js ./")
        .of_the_text()
        .said_by("", "DS-0005"),
    case("a base without a tag", FROM, "FROM example.org/node")
        .of_the_text()
        .said_by("", "DS-0001"),
    case("packages without versions, where nothing ships", FROM, STAGE)
        .of_the_text()
        .said_by("", "DS-0029"),
];
