//! The table of defects: for every check of the catalogue images that have exactly that defect, and
//! beside each one the near miss that passes. A check without a row fails the test.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use hardpan::harden::{CHECKS, Origin};
use rustix::fs::{FileType, XattrFlags};

use crate::image::Image;
use crate::rootfs::{AMD64, ARM64, elf};

/// A defect and its near miss.
struct Row {
    check: &'static str,
    name: &'static str,
    defect: fn(&mut Image),
    near_miss: fn(&mut Image),
    /// Other checks that the same defect fails, and why.
    with: &'static [(&'static str, &'static str)],
    origin: Origin,
}

const BASE: Origin = Origin::Base;
const APP: Origin = Origin::App { layer: 0 };
const USER: Origin = Origin::Config("user");

const fn row(
    (check, name): (&'static str, &'static str),
    origin: Origin,
    defect: fn(&mut Image),
    near_miss: fn(&mut Image),
) -> Row {
    Row { check, name, defect, near_miss, with: &[], origin }
}

impl Row {
    const fn with(self, with: &'static [(&'static str, &'static str)]) -> Self {
        Self { with, ..self }
    }
}

/// A program that holds these bytes.
fn holding(content: &[u8]) -> Vec<u8> {
    [elf(AMD64, None), content.to_vec()].concat()
}

const BUSYBOX: &[u8] = b"BusyBox v1.36.1\0applet not found\0\0esac\0elif\0then\0done\0PS1=\0PS2=\0";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----\n";

/// The program that is started, placed.
fn starts(image: &mut Image, content: impl AsRef<[u8]>) {
    image.place(|layer| {
        layer.file("/app/run", 0o755, content);
    });
    image.entrypoint(&["/app/run"]);
}

/// `ls` of this machine with these of its libraries.
fn lists(image: &mut Image, libraries: &[&str], newer: bool) {
    let mut program = std::fs::read("/bin/ls").unwrap();
    if newer {
        let place = program.windows(8).position(|text| text == b"GLIBC_2.").unwrap();
        program[place + 6] = b'9';
    }
    for library in libraries {
        let found = std::fs::read(format!("/lib/x86_64-linux-gnu/{library}")).unwrap();
        image.base.file(format!("/usr/lib/x86_64-linux-gnu/{library}"), 0o644, found);
    }
    starts(image, program);
}

/// The library that is left of `LIBRARIES[1..]`, in this folder, and the loader that belongs to it.
fn lends(image: &mut Image, folder: &str) {
    let library = std::fs::read(format!("/lib/x86_64-linux-gnu/{}", LIBRARIES[0])).unwrap();
    image.base.file(format!("{folder}/{}", LIBRARIES[0]), 0o644, library);
    image.base.program("/lib64/ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2");
}

const LIBRARIES: [&str; 3] = ["libselinux.so.1", "libc.so.6", "libpcre2-8.so.0"];

fn placed(image: &mut Image, path: &str, mode: u32, content: impl AsRef<[u8]>) {
    image.place(|layer| {
        layer.file(path, mode, content);
    });
}

fn program(image: &mut Image, path: &str) {
    placed(image, path, 0o755, elf(AMD64, None));
}

fn env(image: &mut Image, variable: &str) {
    image.config.env.push(variable.to_owned());
}

fn label(image: &mut Image, name: &str, value: &str) {
    let label = (format!("com.docker.dhi.{name}"), value.to_owned());
    image.config.base.labels.extend([label.clone()]);
    image.config.labels.extend([label]);
}

fn capability(image: &mut Image, value: &[u8]) {
    image.base.file("/app/x", 0o755, elf(AMD64, None));
    let path = image.base.path().join("app/x");
    rustix::fs::setxattr(path, "security.capability", value, XattrFlags::empty()).unwrap();
}

fn passwd(image: &mut Image, lines: &str) {
    image.base.file("/etc/passwd", 0o644, lines);
}

/// A whole image whose only record of packages lies there.
fn records(image: &mut Image, path: &str) {
    std::fs::remove_file(image.base.path().join("var/lib/dpkg/status.d/node")).unwrap();
    image.base.file(path, 0o644, "x");
    image.base_known = false;
}

/// Twice the same path, the first time with this content.
fn twice(image: &mut Image, path: &str, first: &str) {
    placed(image, path, 0o644, first);
    placed(image, path, 0o644, "nothing");
}

/// A token, put together here, so that nobody's scanner takes this file for a leak.
fn token() -> String {
    format!("const t = 'ghp_{}';\n", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8")
}

/// A text as Windows writes it.
fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

fn nothing(_: &mut Image) {}

const LIBRARIES_TOO: &str = "its libraries are not there either";
const NAMED: (&str, &str) = ("USR-02", "a name is no number");

#[rustfmt::skip]
const IDENTITY: &[Row] = &[
    row(("USR-01", "0"), USER, |i| { i.user("0:0"); }, |i| { i.user("1:1"); }),
    row(("USR-01", "00"), USER, |i| { i.user("00:1000"); }, |i| { i.user("01:1000"); }),
    row(("USR-01", "root:root"), USER, |i| { i.user("root:root"); }, nothing).with(&[NAMED]),
    row(("USR-01", "a name that maps to 0"), USER, |i| {
        passwd(i, "root:x:0:0:::\nnode:x:1000:1000:::\napp:x:0:1000:::\n");
        i.user("app");
    }, nothing).with(&[NAMED, ("USR-06", "app is a second root")]),
    row(("USR-01", "no user"), USER, |i| { i.user(""); }, nothing).with(&[NAMED]),
    row(("USR-02", "a name"), USER, |i| { i.user("node"); }, |i| { i.user("1000:1000"); }),
    row(("USR-02", "a uid without a gid"), USER, |i| { i.user("1000"); }, nothing),
    row(("USR-03", "uid 4294967296"), USER, |i| { i.user("4294967296:1000"); },
        |i| { i.user("2147483647:1000"); }),
    row(("USR-03", "a gid that overflows"), USER, |i| { i.user("1000:4294967296"); },
        |i| { i.user("1000:2147483647"); }),
    row(("USR-03", "a user called like a number"), BASE, |i| passwd(i, "7:x:5:5:::\n"),
        |i| passwd(i, "u7:x:5:5:::\n")),
    row(("USR-04", "a uid without a line"), USER, |i| { i.user("2000:0"); },
        |i| { i.user("2000:2000"); }),
    row(("USR-05", "a user that is not there"), USER, |i| { i.user("gone:1000"); },
        |i| { i.user("1000:1000"); })
        .with(&[NAMED]),
    row(("USR-06", "a second root"), BASE, |i| passwd(i, "root:x:0:0:::\ntoor:x:0:5:::\n"),
        |i| passwd(i, "root:x:0:0:::\ntoor:x:5:0:::\n")),
    row(("USR-07", "an empty password"), BASE, |i| passwd(i, "root::0:0:::\n"),
        |i| passwd(i, "root:*:0:0:::\n")),
    row(("USR-06", "a second root below a comment"), BASE,
        |i| passwd(i, "# all accounts\nroot:x:0:0:::\ntoor:x:0:5:::\n"),
        |i| passwd(i, "# all accounts\nroot:x:0:0:::\n# toor:x:0:5:::\n")),
    row(("USR-07", "an empty password in shadow"), BASE,
        |i| { i.base.file("/etc/shadow", 0o640, "# all\nroot::1::::::\n"); },
        |i| { i.base.file("/etc/shadow", 0o640, "# all\nroot:*:1::::::\n"); }),
    row(("USR-08", "a login shell"), BASE, |i| {
        passwd(i, "root:x:0:0::/:/opt/login\n");
        i.base.file("/opt/login", 0o755, elf(AMD64, None));
    }, |i| passwd(i, "root:x:0:0::/:/opt/login\n")),
    row(("USR-09", "one uid twice"), BASE, |i| passwd(i, "a:x:5:5:::\nb:x:5:6:::\n"),
        |i| passwd(i, "a:x:5:5:::\nb:x:6:5:::\n")),
];

#[rustfmt::skip]
const SHELLS: &[Row] = &[
    row(("SHL-01", "a base that says so"), BASE, |i| label(i, "shell", "bash"),
        |i| label(i, "shell", "")),
    row(("SHL-02", "a shell by name"), APP, |i| program(i, "/opt/bash-5.2"),
        |i| program(i, "/opt/bashful")),
    row(("SHL-02", "a link called sh"), BASE, |i| {
        i.base.file("/opt/tool", 0o755, elf(AMD64, None)).link("/usr/bin/sh", "/opt/tool");
    }, |i| { i.base.link("/usr/bin/sh", "/opt/tool"); }),
    row(("SHL-02", "the shell of .NET, which dotnet runs"), APP,
        |i| placed(i, "/app/pwsh.dll", 0o644, "MZ"), |i| placed(i, "/app/pwsh.dll.json", 0o755, "MZ")),
    row(("SHL-03", "dash under another name"), APP,
        |i| { i.place(|layer| { layer.program("/app/helper", "/bin/dash"); }); },
        |i| { i.place(|layer| { layer.program("/app/sbin", "/sbin/ldconfig"); }); })
        .with(&[("RUN-06", LIBRARIES_TOO)]),
    row(("SHL-03", "bash under another name"), APP,
        |i| { i.place(|layer| { layer.program("/app/helper", "/bin/bash"); }); }, nothing)
        .with(&[("RUN-06", LIBRARIES_TOO)]),
    row(("SHL-03", "a static shell, hard-linked"), APP, |i| { i.place(|layer| {
        layer.file("/app/a", 0o755, holding(b"\0esac\0elif\0then\0done\0PS1=\0IFS\0"))
            .hard_link("/app/z", "/app/a");
    }); }, |i| placed(i, "/app/a", 0o755, holding(b"\0esac\0elif\0then\0PS1=\0IFS\0"))),
    row(("SHL-03", "a shell as a library of a program"), APP,
        |i| placed(i, "/app/tool", 0o755, holding(b"mvdan.cc/sh/v3")),
        |i| placed(i, "/app/tool", 0o755, holding(b"mvdan.cc/xurls/v2"))),
    row(("SHL-03", "nushell under another name"), APP,
        |i| placed(i, "/app/x", 0o755, holding(b"# Default Nushell Environment Config File")),
        |i| placed(i, "/app/x", 0o755, holding(b"export def main [] # Nushell"))),
    row(("SHL-03", "rc of Plan 9 under another name"), APP,
        |i| placed(i, "/app/x", 0o755, holding(b"\0rc (%s): %s: %r\0")),
        |i| placed(i, "/app/x", 0o755, holding(b"\0rc (%s): %s\0"))),
    row(("SHL-03", "a shell in Rust as a library"), APP,
        |i| placed(i, "/app/x", 0o755, holding(b"registry/src/x/brush-core-0.2.3/src/shell.rs")),
        |i| placed(i, "/app/x", 0o755, holding(b"registry/src/x/paintbrush-core-0.2.3/src/x.rs"))),
    row(("SHL-03", "a packed program"), APP,
        |i| placed(i, "/app/x", 0o755, holding(b"$Info: This file is packed with the UPX executable packer")),
        |i| placed(i, "/app/x", 0o755, holding(b"UPX packs executable files"))),
    row(("SHL-04", "busybox, renamed"), APP, |i| placed(i, "/app/x", 0o755, holding(BUSYBOX)),
        |i| placed(i, "/app/x", 0o755, holding(b"looks for BusyBox v1"))),
    row(("SHL-04", "busybox, hard-linked"), BASE, |i| {
        i.base.file("/opt/a", 0o755, holding(BUSYBOX)).hard_link("/opt/wget-like", "/opt/a");
    }, nothing),
    row(("SHL-05", "a shell as entrypoint"), Origin::Config("entrypoint"),
        |i| { i.entrypoint(&["sh", "-c", "node server.js"]); }, nothing)
        .with(&[("RUN-01", "it is not there")]),
    row(("SHL-05", "npm start behind an init"), Origin::Config("entrypoint"), |i| {
        i.base.file("/usr/bin/tini", 0o755, elf(AMD64, None));
        i.base.file("/app/npm", 0o755, "#!/usr/bin/node\n");
        i.entrypoint(&["tini", "--", "/app/npm", "start"]);
    }, |i| {
        i.base.file("/usr/bin/tini", 0o755, elf(AMD64, None));
        i.entrypoint(&["tini", "--", "node", "server.js"]);
    }).with(&[("PKG-02", "npm installs packages")]),
    row(("SHL-05", "a shell behind options of an init"), Origin::Config("entrypoint"), |i| {
        i.base.file("/usr/bin/tini", 0o755, elf(AMD64, None));
        i.entrypoint(&["tini", "-p", "SIGTERM", "sh", "-c", "node server.js"]);
    }, |i| {
        i.base.file("/usr/bin/tini", 0o755, elf(AMD64, None));
        i.entrypoint(&["tini", "-p", "SIGTERM", "node", "server.js", "--", "sh"]);
    }).with(&[("RUN-01", "it is not there")]),
    row(("SHL-05", "a shell in a text that env splits"), Origin::Config("entrypoint"), |i| {
        i.base.file("/usr/bin/env", 0o755, elf(AMD64, None));
        i.entrypoint(&["env", "-S", "A=b sh -c x"]);
    }, |i| {
        i.base.file("/usr/bin/env", 0o755, elf(AMD64, None));
        i.entrypoint(&["env", "-S", "A=b node server.js"]);
    }),
    row(("SHL-05", "a script of package.json"), Origin::Config("entrypoint"),
        |i| { i.entrypoint(&["node", "--run", "start"]); },
        |i| { i.entrypoint(&["node", "server.js", "--run", "start"]); }),
    row(("SHL-06", "a health check as text"), Origin::Config("healthcheck"), |i| {
        i.config.healthcheck = vec!["CMD-SHELL".to_owned(), "node x".to_owned()];
    }, |i| i.config.healthcheck = vec!["NONE".to_owned()]),
    row(("SHL-07", "a new interpreter"), APP, |i| program(i, "/opt/perl5.40"),
        |i| { i.base.file("/opt/perl5.40", 0o755, elf(AMD64, None)); }),
    row(("SHL-08", "env"), APP, |i| program(i, "/usr/bin/env"), |i| program(i, "/usr/bin/envoy")),
    row(("SHL-09", "a shell without x"), APP,
        |i| placed(i, "/app/data.so", 0o644, holding(b"GNU bash, version")),
        |i| placed(i, "/app/data.so", 0o644, holding(b"GNU bash"))),
    row(("SHL-10", "a listed shell"), BASE, |i| {
        i.base.file("/etc/shells", 0o644, "/opt/login\n").file("/opt/login", 0o755, elf(AMD64, None));
    }, |i| { i.base.file("/etc/shells", 0o644, "/opt/login\n"); }),
    row(("SHL-11", "child_process.exec"), BASE,
        |i| { i.base.file("/app/server.js", 0o644, "require('child_process').exec('x')"); },
        |i| { i.base.file("/app/server.js", 0o644, "require('child_process').execFile('x')"); }),
];

#[rustfmt::skip]
const PRIVILEGE: &[Row] = &[
    row(("PRV-01", "set-uid"), APP, |i| placed(i, "/app/x", 0o4755, elf(AMD64, None)),
        |i| { i.place(|layer| { layer.folder("/srv", 0o2755); }); }),
    row(("PRV-01", "set-gid in the base"), BASE,
        |i| { i.base.file("/opt/x", 0o2755, elf(AMD64, None)); }, nothing),
    row(("PRV-02", "a capability"), BASE,
        |i| capability(i, &[1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        |i| { i.base.file("/app/x", 0o755, elf(AMD64, None)); }),
    row(("PRV-03", "a file for everybody"), APP, |i| placed(i, "/app/x", 0o666, "x"),
        |i| placed(i, "/app/x", 0o664, "x")),
    row(("PRV-04", "tmp without its sticky bit"), BASE, |i| { i.base.folder("/tmp", 0o777); },
        |i| { i.base.folder("/tmp", 0o1777); }),
    row(("PRV-05", "a device node"), APP,
        |i| { i.place(|layer| { layer.special("/app/x", FileType::BlockDevice); }); },
        |i| placed(i, "/app/x", 0o644, "x")),
    row(("PRV-05", "a FIFO"), APP,
        |i| { i.place(|layer| { layer.special("/app/x", FileType::Fifo); }); }, nothing),
    row(("PRV-06", "a file of the user's own"), APP, |i| {
        i.place(|layer| { layer.file("/srv/a", 0o444, "x").owner("/srv/a", 1000, 0); });
    }, |i| {
        i.place(|layer| { layer.file("/srv/a", 0o644, "x").owner("/srv/a", 0, 1000); });
    }),
    row(("PRV-07", "passwd of the user's own"), BASE, |i| { i.base.owner("/etc/passwd", 1000, 0); },
        |i| { i.base.owner("/etc/passwd", 999, 0); }),
    row(("PRV-07", "the folder above those of programs"), BASE,
        |i| { i.base.folder("/usr/local", 0o755).owner("/usr/local", 1000, 0); },
        |i| { i.base.folder("/usr/local", 0o755).owner("/usr/local", 999, 0); })
        .with(&[("PRV-09", "PATH leads through it")]),
    row(("PRV-08", "LD_PRELOAD"), Origin::Config("env"), |i| env(i, "LD_PRELOAD=/app/x.so"),
        |i| env(i, "LD_PRELOAD=")),
    row(("PRV-08", "ld.so.preload"), APP, |i| placed(i, "/etc/ld.so.preload", 0o644, "/x.so"),
        |i| placed(i, "/etc/ld.so.preloads", 0o644, "/x.so")),
    row(("PRV-09", "a relative PATH"), Origin::Config("env"), |i| env(i, "PATH=/usr/bin:."),
        |i| env(i, "PATH=/usr/bin:/x")),
    row(("PRV-09", "a folder that the process may make"), Origin::Config("env"),
        |i| env(i, "PATH=/usr/bin:/tmp/bin"), |i| env(i, "PATH=/usr/bin:/opt/bin")),
    row(("PRV-10", "sudo among a package's files"), APP, |i| program(i, "/app/vendor/x/sudo"),
        |i| placed(i, "/app/vendor/x/sudo", 0o755, "#!/usr/bin/node\n")),
    row(("PRV-10", "su"), BASE, |i| { i.base.file("/opt/su", 0o755, elf(AMD64, None)); },
        |i| { i.base.file("/opt/su", 0o644, "x"); }),
];

#[rustfmt::skip]
const PACKAGES: &[Row] = &[
    row(("PKG-01", "apk"), APP, |i| program(i, "/opt/apk"), |i| program(i, "/opt/apkanalyzer")),
    row(("PKG-01", "apk of one piece"), APP, |i| program(i, "/sbin/apk.static"),
        |i| program(i, "/sbin/apk.statics")),
    row(("PKG-01", "dpkg beside what is called after it"), APP, |i| program(i, "/etc/cron.daily/dpkg"),
        |i| placed(i, "/etc/cron.daily/dpkg", 0o755, "#!/usr/bin/node\n")),
    row(("PKG-02", "pip of a virtual environment"), APP, |i| program(i, "/opt/venv/bin/pip3.13"),
        |i| program(i, "/app/node_modules/npm/bin/npm")),
    row(("PKG-03", "a deleted package database"), Origin::Image, |i| {
        std::fs::remove_file(i.base.path().join("var/lib/dpkg/status.d/node")).unwrap();
        i.base_known = false;
    }, |i| i.base_known = false),
    row(("PKG-03", "a package database without its tables"), Origin::Image,
        |i| records(i, "/var/lib/rpm/rpmdb.sqlite-shm"), |i| records(i, "/var/lib/rpm/rpmdb.sqlite")),
    row(("PKG-03", "a list of packages in another folder"), Origin::Image,
        |i| records(i, "/var/lib/manifest.wall"), |i| records(i, "/var/lib/chisel/manifest.wall")),
    row(("PKG-03", "a list that is none of Azure Linux"), Origin::Image,
        |i| records(i, "/var/lib/rpmmanifest/x"),
        |i| records(i, "/var/lib/rpmmanifest/container-manifest-2")),
    row(("PKG-03", "a package database of SUSE, deleted"), Origin::Image,
        |i| records(i, "/usr/lib/sysimage/rpm/Index.db"),
        |i| records(i, "/usr/lib/sysimage/rpm/Packages.db")),
    row(("PKG-04", "a compiler by its machine"), APP, |i| program(i, "/opt/x86_64-linux-gnu-gcc-14"),
        |i| program(i, "/opt/x86_64-linux-gnu-gccx")),
    row(("PKG-04", "a compiler"), APP, |i| program(i, "/opt/gcc-14"), |i| program(i, "/opt/gccx")),
    row(("PKG-05", "curl"), APP, |i| program(i, "/opt/curl"), |i| program(i, "/opt/curly")),
    row(("PKG-05", "nc as Debian calls it"), APP, |i| program(i, "/opt/nc.openbsd"),
        |i| program(i, "/opt/nc.conf")),
    row(("PKG-06", "the key of a host"), APP,
        |i| placed(i, "/etc/dropbear/dropbear_rsa_host_key", 0o600, "x"),
        |i| placed(i, "/etc/dropbear/dropbear_rsa_host_key.pub", 0o600, "x")),
    row(("PKG-06", "sshd"), APP, |i| program(i, "/opt/sshd"), |i| program(i, "/opt/sshd-keygen")),
    row(("PKG-07", "lists of apt"), APP, |i| placed(i, "/var/lib/apt/lists/x", 0o644, "x"),
        |i| placed(i, "/var/lib/apt/lists/lock", 0o640, "")),
    row(("PKG-07", "what dnf5 has fetched"), APP,
        |i| placed(i, "/var/cache/libdnf5/x.solv", 0o644, "x"),
        |i| placed(i, "/var/cache/libdnf5/x.solv", 0o644, "")),
    row(("PKG-08", "history of the source"), APP, |i| placed(i, "/app/.git/HEAD", 0o644, "ref: x"),
        |i| placed(i, "/app/git/HEAD", 0o644, "ref: x")),
    row(("PKG-09", "a core dump"), APP, |i| placed(i, "/app/core", 0o600, [1; 1 << 17]),
        |i| placed(i, "/app/core", 0o755, [elf(AMD64, None), vec![1; 1 << 17]].concat())),
    row(("PKG-09", "a Dockerfile"), APP, |i| placed(i, "/app/Dockerfile", 0o644, "FROM x"),
        |i| placed(i, "/app/dockerfile.js", 0o644, "x")),
];

#[rustfmt::skip]
const SECRETS: &[Row] = &[
    row(("SEC-01", "a key file"), APP, |i| placed(i, "/app/id_rsa", 0o600, KEY),
        |i| placed(i, "/app/id_rsa", 0o600, KEY.replace("PRIVATE", "PUBLIC"))),
    row(("SEC-01", "a service account"), APP, |i| {
        placed(i, "/app/gcp.json", 0o600, format!("{{\"private_key\": \"{}\"}}", KEY.replace('\n', "\\n")));
    }, |i| placed(i, "/app/gcp.json", 0o600, "{\"private_key\": \"$KEY\"}")),
    row(("SEC-02", "a token in .npmrc"), APP,
        |i| placed(i, "/app/.npmrc", 0o600, "//r.example/:_authToken=s3cr3tvalue\n"),
        |i| placed(i, "/app/.npmrc", 0o600, "//r.example/:_authToken=${NPM_TOKEN}\n")),
    row(("SEC-02", "a login in .git-credentials"), APP,
        |i| placed(i, "/root/.git-credentials", 0o600, "https://u:hunter2x@h.example\n"),
        |i| placed(i, "/root/.git-credentials", 0o600, "https://h.example\n")),
    row(("SEC-02", "keys of AWS"), APP,
        |i| placed(i, "/root/.aws/credentials", 0o600, "aws_secret_access_key = wJalrXUtnFEMI\n"),
        |i| placed(i, "/root/.aws/credentials", 0o600, "region = eu-central-1\n")),
    row(("SEC-02", "a login of a registry"), APP,
        |i| placed(i, "/root/.docker/config.json", 0o600, "{\"auth\": \"dXNlcjpwYXNz\"}"),
        |i| placed(i, "/root/.docker/config.json", 0o600, "{\"auth\": \"\"}")),
    row(("SEC-01", "a key in a copy of a file, in UTF-16"), APP, |i| {
        placed(i, "/app/Server.KEY.bak", 0o600, utf16(KEY));
    }, |i| placed(i, "/app/Server.KEY.bak", 0o600, utf16(&KEY.replace("PRIVATE", "PUBLIC")))),
    row(("SEC-01", "a key behind a megabyte of text"), APP, |i| {
        placed(i, "/app/tls.pem", 0o600, format!("{}{KEY}", "no key\n".repeat(200_000)));
    }, |i| placed(i, "/app/tls.pem", 0o600, "no key\n".repeat(200_000))),
    row(("SEC-01", "a key in base64, as in a Secret of Kubernetes"), APP, |i| {
        placed(i, "/app/tls.yaml", 0o600, "tls.key: \
            LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURBTkJna3Foa2lHOXcwQkFRRUZBQVNDQktj\
            d2dnU2pBZ0VBQW9JQkFRCi0tLS0tRU5EIFBSSVZBVEUgS0VZLS0tLS0K\n");
    }, |i| placed(i, "/app/tls.yaml", 0o600, "tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUV\n")),
    row(("SEC-02", "what a web server hands out"), APP,
        |i| placed(i, "/usr/share/nginx/html/.env", 0o644, "DB_PASSWORD=hunter2\n"),
        |i| placed(i, "/usr/share/nginx/html/.env", 0o644, "TLS_KEY=/run/tls\nAUTH_URL=https://x/\n")),
    row(("SEC-02", "a password in a URL"), APP,
        |i| placed(i, "/app/prod.env", 0o644, "DATABASE_URL=postgres://app:hunter2@db/app\n"),
        |i| placed(i, "/app/prod.env", 0o644, "DATABASE_URL=postgres://app@db/app\n")),
    row(("SEC-02", "a token as the user of a URL"), APP,
        |i| placed(i, "/root/.git-credentials", 0o600, format!("https://{}@github.com\n", &token()[11..51])),
        |i| placed(i, "/root/.git-credentials", 0o600, "https://me@github.com\n")),
    row(("SEC-02", "the second login of a registry"), APP,
        |i| placed(i, "/root/.docker/config.json", 0o600,
            r#"{"auths":{"a":{"auth":""},"b":{"auth":"dXNlcjpwYXNz"}}}"#),
        |i| placed(i, "/root/.docker/config.json", 0o600, r#"{"auths":{"a":{"auth":""},"b":{}}}"#)),
    row(("SEC-02", "a password in Latin-1"), APP,
        |i| placed(i, "/app/.env", 0o600, b"DB_PASSWORD=p\xe4ssw\xf6rt\n"),
        |i| placed(i, "/app/.env", 0o600, b"DB_PASSWORD=\nX=\xe4\n")),
    row(("SEC-03", "a token by any name"), Origin::Config("env"),
        |i| env(i, &format!("GH={}", &token()[11..51])), |i| env(i, "GH=ghp_")),
    row(("SEC-03", "a password in the address of a database"), Origin::Config("env"),
        |i| env(i, "DATABASE_URL=postgres://app:hunter2@db/app"),
        |i| env(i, "DATABASE_URL=postgres://app:${PASSWORD}@db/app")),
    row(("SEC-03", "a token as an argument"), Origin::Config("cmd"), |i| {
        i.config.cmd = vec![format!("--github={}", &token()[11..51])];
    }, |i| i.config.cmd = vec!["--github=ghp_".to_owned()]),
    row(("SEC-03", "what only looks like a key"), Origin::Config("env"),
        |i| env(i, "API_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D"),
        |i| env(i, "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D")),
    row(("SEC-03", "a variable"), Origin::Config("env"), |i| env(i, "DB_PASSWORD=hunter2"),
        |i| env(i, "DB_PASSWORD_FILE=/run/secrets/db")),
    row(("SEC-04", "a token in source"), APP, |i| placed(i, "/app/x.js", 0o644, token()),
        |i| placed(i, "/app/node_modules/x/x.js", 0o644, token())),
    row(("SEC-04", "a token in a page of a web server"), APP,
        |i| placed(i, "/usr/share/nginx/html/x.html", 0o644, token()),
        |i| placed(i, "/usr/share/doc/x.html", 0o644, token())),
    row(("SEC-05", "a key under another file"), APP, |i| twice(i, "/app/tls.key", KEY),
        |i| twice(i, "/app/index.html", "x")),
];

#[rustfmt::skip]
const RUNNING: &[Row] = &[
    row(("RUN-01", "nothing there"), Origin::Config("entrypoint"), |i| { i.entrypoint(&["/gone"]); },
        |i| { i.entrypoint(&["/usr/bin/node"]); }),
    row(("RUN-01", "a dangling link"), Origin::Config("entrypoint"), |i| {
        i.base.link("/app/run", "/nowhere");
        i.entrypoint(&["/app/run"]);
    }, |i| {
        i.base.link("/app/run", "/usr/bin/node");
        i.entrypoint(&["/app/run"]);
    }),
    row(("RUN-01", "a looping link"), Origin::Config("entrypoint"), |i| {
        i.base.link("/app/run", "run");
        i.entrypoint(&["/app/run"]);
    }, nothing),
    row(("RUN-01", "a link out of the root"), Origin::Config("entrypoint"), |i| {
        i.base.link("/app/run", "../../../../../../bin/ls");
        i.entrypoint(&["/app/run"]);
    }, |i| {
        i.base.link("/app/run", "../../../../../../bin/node");
        i.entrypoint(&["/app/run"]);
    }),
    row(("RUN-02", "no right to execute"), APP, |i| {
        placed(i, "/app/run", 0o644, elf(AMD64, None));
        i.entrypoint(&["/app/run"]);
    }, |i| starts(i, elf(AMD64, None))),
    row(("RUN-01", "a slash behind the program"), Origin::Config("entrypoint"),
        |i| { i.entrypoint(&["/usr/bin/node/"]); }, |i| { i.entrypoint(&["/usr/bin/../bin/node"]); }),
    row(("RUN-01", "nothing behind an init"), Origin::Config("entrypoint"), |i| {
        i.base.file("/usr/bin/tini", 0o755, elf(AMD64, None));
        i.entrypoint(&["tini", "-e", "143", "gone", "--", "node"]);
    }, |i| {
        i.base.file("/usr/bin/tini", 0o755, elf(AMD64, None));
        i.entrypoint(&["tini", "-e", "143", "node", "server.js", "--", "gone"]);
    }),
    row(("RUN-02", "a script that the user cannot read"), APP, |i| {
        placed(i, "/app/run", 0o711, "#!/usr/bin/node\n");
        i.entrypoint(&["/app/run"]);
    }, |i| {
        placed(i, "/app/run", 0o711, elf(AMD64, None));
        i.entrypoint(&["/app/run"]);
    }),
    row(("RUN-03", "an env that is to split its words"), APP, |i| {
        i.base.file("/usr/bin/env", 0o755, elf(AMD64, None));
        starts(i, "#!/usr/bin/env -vS 'gone' --flag\n");
    }, |i| {
        i.base.file("/usr/bin/env", 0o755, elf(AMD64, None));
        starts(i, "#!/usr/bin/env -S -u HOME A=b \"node\" --flag\n");
    }),
    row(("RUN-03", "env, and no env"), APP, |i| starts(i, "#!/usr/bin/env node\n"), |i| {
        i.base.file("/usr/bin/env", 0o755, elf(AMD64, None));
        starts(i, "#!/usr/bin/env node\n");
    }),
    row(("RUN-03", "CRLF"), APP, |i| starts(i, "#!/usr/bin/node\r\n"),
        |i| starts(i, "#!/usr/bin/node\nx\r\n")),
    row(("RUN-04", "text without #!"), APP, |i| starts(i, "console.log(1)\n"),
        |i| starts(i, "#!/usr/bin/node\n")),
    row(("RUN-05", "musl on glibc"), APP, |i| starts(i, elf(AMD64, Some("/lib/ld-musl-x86_64.so.1"))),
        |i| starts(i, elf(AMD64, Some("/lib64/ld-linux-x86-64.so.2")))),
    row(("RUN-05", "another machine"), APP, |i| starts(i, elf(ARM64, None)),
        |i| starts(i, elf(AMD64, None))),
    row(("RUN-05", "an object file"), APP, |i| {
        let mut object = elf(AMD64, None);
        object[16] = 1; // ET_REL
        starts(i, object);
    }, |i| {
        let mut program = elf(AMD64, None);
        program[16] = 2; // ET_EXEC
        starts(i, program);
    }),
    row(("RUN-05", "a program whose end is missing"), APP, |i| {
        let program = std::fs::read("/bin/ls").unwrap();
        starts(i, &program[..program.len() / 2]);
    }, |i| lists(i, &LIBRARIES, false)),
    row(("RUN-06", "a library that the user cannot read"), APP, |i| {
        lists(i, &LIBRARIES, false);
        let library = i.base.path().join("usr/lib/x86_64-linux-gnu/libc.so.6");
        std::fs::set_permissions(library, std::fs::Permissions::from_mode(0o640)).unwrap();
    }, |i| {
        lists(i, &LIBRARIES, false);
        i.base.owner("/usr/lib/x86_64-linux-gnu/libc.so.6", 1000, 0);
        let library = i.base.path().join("usr/lib/x86_64-linux-gnu/libc.so.6");
        std::fs::set_permissions(library, std::fs::Permissions::from_mode(0o400)).unwrap();
    }),
    row(("RUN-06", "a library where this loader never looks"), APP, |i| {
        lists(i, &LIBRARIES[1..], false);
        lends(i, "/usr/lib64");
    }, |i| {
        lists(i, &LIBRARIES[1..], false);
        lends(i, "/usr/lib");
    }),
    row(("RUN-06", "a library in a folder seen from the working one"), APP, |i| {
        lists(i, &LIBRARIES[1..], false);
        lends(i, "/app/lib");
        env(i, "LD_LIBRARY_PATH=bin");
    }, |i| {
        lists(i, &LIBRARIES[1..], false);
        lends(i, "/app/lib");
        env(i, "LD_LIBRARY_PATH=lib");
    }),
    row(("RUN-06", "a library two levels down"), APP, |i| lists(i, &LIBRARIES[..2], false),
        |i| lists(i, &LIBRARIES, false)),
    row(("RUN-06", "a version that is too new"), APP, |i| lists(i, &LIBRARIES, true), nothing),
    row(("RUN-07", "no start file"), Origin::Config("entrypoint"),
        |i| { i.entrypoint(&["node", "gone.js"]); }, |i| { i.entrypoint(&["node", "./server.js"]); }),
    row(("RUN-08", "another platform"), Origin::Image,
        |i| "linux/arm64".clone_into(&mut i.config.platform),
        |i| "linux/amd64/v1".clone_into(&mut i.config.platform)),
    row(("RUN-09", "no working folder"), Origin::Config("workdir"), |i| {
        "/gone".clone_into(&mut i.config.workdir);
        i.entrypoint(&["/usr/bin/node", "/app/server.js"]);
    }, |i| {
        "/tmp".clone_into(&mut i.config.workdir);
        i.entrypoint(&["/usr/bin/node", "/app/server.js"]);
    }),
    row(("RUN-10", "docker.sock as volume"), Origin::Config("volumes"),
        |i| i.config.volumes = vec!["/var/run/docker.sock".to_owned()], |i| {
        i.base.folder("/data", 0o755).owner("/data", 1000, 1000);
        i.config.volumes = vec!["/data".to_owned()];
    }),
    row(("RUN-11", "port 80"), Origin::Config("expose"),
        |i| i.config.ports = vec!["80/tcp".to_owned()],
        |i| i.config.ports = vec!["8080/tcp".to_owned()]),
    row(("RUN-12", "a health check that is not there"), Origin::Config("healthcheck"),
        |i| i.config.healthcheck = vec!["CMD".to_owned(), "curl".to_owned()],
        |i| i.config.healthcheck = vec!["CMD".to_owned(), "node".to_owned()]),
    row(("RUN-13", "no certificates"), Origin::Config("env"), |i| env(i, "SSL_CERT_FILE=/etc/x.pem"),
        |i| env(i, "SSL_CERT_FILE=/etc/passwd")),
    row(("RUN-14", "no check of certificates"), Origin::Config("env"),
        |i| env(i, "NODE_TLS_REJECT_UNAUTHORIZED=0"), |i| env(i, "NODE_TLS_REJECT_UNAUTHORIZED=1")),
    row(("RUN-15", "no time zone"), Origin::Config("env"), |i| env(i, "TZ=Europe/Berlin"),
        |i| env(i, "TZ=UTC")),
    row(("RUN-16", "a script that nothing runs"), APP,
        |i| placed(i, "/app/tool", 0o755, "#!/usr/bin/ruby\n"),
        |i| placed(i, "/app/tool", 0o755, "#!/usr/bin/node\n")),
];

#[rustfmt::skip]
const ORIGINS: &[Row] = &[
    row(("META-01", "no source"), Origin::Config("labels"),
        |i| { i.config.labels.remove("org.opencontainers.image.source"); }, nothing),
    row(("META-02", "a label of the base"), Origin::Config("labels"), |i| {
        label(i, "shell", "");
        i.config.labels.insert("com.docker.dhi.shell".to_owned(), "none".to_owned());
    }, |i| label(i, "shell", "")),
    row(("META-03", "a secret in the history"), Origin::Image,
        |i| i.config.history = vec!["ENV DB_PASSWORD=hunter2".to_owned()],
        |i| i.config.history = vec!["ENV DB_HOST=db".to_owned()]),
    row(("META-04", "another date"), Origin::Image, |i| {
        (i.config.epoch, i.config.created) = (Some(0), Some("2026-01-01T00:00:00Z".to_owned()));
    }, |i| (i.config.epoch, i.config.created) = (Some(0), Some("1970-01-01T00:00:00Z".to_owned()))),
    row(("SUP-01", "a tag"), BASE, |i| "dhi.io/node:24".clone_into(&mut i.config.base.name),
        |i| "dhi.io/node:24@sha256:0".clone_into(&mut i.config.base.name)),
    row(("SUP-02", "another registry"), BASE, |i| i.config.base.from_catalogue = false, |i| {
        i.config.base.from_catalogue = false;
        label(i, "name", "dhi/node");
    }),
    row(("SUP-04", "past its end"), BASE, |i| label(i, "date.end-of-life", "2026-11-22"),
        |i| label(i, "date.end-of-life", "2028-01-01")),
    row(("SUP-05", "a file without a checksum"), Origin::Image,
        |i| i.making().lineage.files = vec!["https://x/y".to_owned()], nothing),
    row(("SUP-06", "a layer that a program made"), Origin::Image,
        |i| i.making().lineage.ran = vec!["RUN x".to_owned()], nothing),
    row(("SUP-07", "a build argument"), Origin::Config("args"),
        |i| { i.config.build_args.insert("NPM_TOKEN".to_owned(), "s3cr3tvalue".to_owned()); },
        |i| { i.config.build_args.insert("VERSION".to_owned(), "s3cr3tvalue".to_owned()); }),
    row(("SUP-08", "no list of packages"), Origin::Image, |i| i.making().sbom = false,
        |i| i.making().sbom = true),
    row(("BASE-01", "a replaced passwd"), APP, |i| placed(i, "/etc/passwd", 0o644, "a:x:1:1:::\n"),
        |i| placed(i, "/etc/passwd.d", 0o644, "x")),
    row(("BASE-01", "a replaced library"), APP, |i| {
        i.base.file("/usr/lib/libx.so.1", 0o644, "a");
        placed(i, "/usr/lib/libx.so.1", 0o644, "b");
    }, |i| placed(i, "/usr/lib/libx.so.1", 0o644, "b")),
    row(("BASE-01", "a link to a program that leads to another one"), APP, |i| {
        i.base.link("/usr/bin/nodejs", "node");
        i.place(|layer| { layer.link("/usr/bin/nodejs", "/app/mine"); });
    }, |i| {
        i.base.link("/srv/current", "one");
        i.place(|layer| { layer.link("/srv/current", "two"); });
    }),
    row(("BASE-01", "a module of a runtime below /opt"), APP, |i| {
        i.base.file("/opt/python/lib/python3.13/os.py", 0o644, "a");
        placed(i, "/opt/python/lib/python3.13/os.py", 0o644, "b");
    }, |i| {
        i.base.file("/opt/python/lib/python3.13/os.cfg", 0o644, "a");
        placed(i, "/opt/python/lib/python3.13/os.cfg", 0o644, "b");
    }),
    row(("BASE-02", "a folder with another mode"), APP,
        |i| { i.place(|layer| { layer.folder("/tmp", 0o755); }); },
        |i| { i.place(|layer| { layer.folder("/tmp", 0o1777); }); }),
    row(("BASE-03", "a file over a folder"), Origin::App { layer: 1 }, |i| {
        i.place(|layer| { layer.folder("/srv/x", 0o755); });
        placed(i, "/srv/x", 0o644, "x");
    }, |i| {
        placed(i, "/srv/x", 0o644, "x");
        placed(i, "/srv/x", 0o644, "y");
    }),
    row(("BASE-04", "a name that deletes"), APP, |i| placed(i, "/etc/.wh.passwd", 0o644, ""),
        |i| placed(i, "/etc/wh.passwd", 0o644, "")),
];

const TABLE: [&[Row]; 7] = [IDENTITY, SHELLS, PRIVILEGE, PACKAGES, SECRETS, RUNNING, ORIGINS];

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.into_iter().flatten()
}

/// What is wrong with one row.
fn complaint(row: &Row) -> Option<String> {
    let mut image = Image::sound();
    (row.defect)(&mut image);
    let findings = image.judge().findings;
    let found: BTreeSet<&str> = findings.iter().map(|finding| finding.check.0).collect();
    let expected: BTreeSet<&str> =
        row.with.iter().map(|(check, _)| *check).chain([row.check]).collect();
    let origins: Vec<_> = findings
        .iter()
        .filter(|finding| finding.check.0 == row.check)
        .map(|finding| finding.origin)
        .collect();
    if found != expected || origins.iter().any(|origin| *origin != row.origin) {
        return Some(format!("the defect: {findings:#?}"));
    }
    let mut near_miss = Image::sound();
    (row.near_miss)(&mut near_miss);
    let findings = near_miss.judge().findings;
    (!findings.is_empty()).then(|| format!("the near miss: {findings:#?}"))
}

#[test]
fn every_defect_fails_its_check_and_every_near_miss_passes() {
    let complaints: Vec<String> = rows()
        .filter_map(|row| Some(format!("{} {}: {}", row.check, row.name, complaint(row)?)))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_check_has_a_defect() {
    let covered: BTreeSet<&str> = rows().map(|row| row.check).collect();
    let all = CHECKS.iter().map(|check| check.id.0);
    // Nothing that hardpan looks at decides about signatures (tests/inspect/supply.rs).
    let expected: BTreeSet<&str> = all.filter(|id| *id != "SUP-03").collect();
    assert_eq!(covered, expected);
    assert!(rows().count() >= 60);
    let near = |row: &Row| row.near_miss as usize != nothing as fn(&mut Image) as usize;
    for check in expected {
        assert!(
            rows().any(|row| row.check == check && near(row))
                || ["SUP-05", "SUP-06", "META-01"].contains(&check), // a sound image is the near miss
            "{check} has no near miss"
        );
    }
}
