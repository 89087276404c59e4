//! For each check of accounts, tools, privileges and secrets an image that has exactly that defect,
//! and near misses that pass.

use hardpan::harden::{CHECKS, Check, Origin, Profile, Severity, Status};
use hardpan::input::Input;
use rustix::fs::FileType;

use Severity::{Block, Info, Warn};

use crate::image::Image;
use crate::rootfs::{AMD64, Rootfs, elf};

/// An image with one placed layer.
fn placed(layer: impl FnOnce(&Rootfs)) -> Image {
    let mut image = Image::sound();
    image.place(layer);
    image
}

/// An image whose base has more.
fn based(base: impl FnOnce(&Rootfs)) -> Image {
    let image = Image::sound();
    base(&image.base);
    image
}

fn passwd(lines: &str) -> Image {
    based(|base| {
        base.file("/etc/passwd", 0o644, lines);
    })
}

#[test]
fn usr_04_finds_powerful_groups() {
    let mut image = Image::sound();
    image.user("1000:0");
    image.finds(&[("USR-04", Warn, "the process runs as 1000:0, in the group root")]);
    assert_eq!(image.judge_as(Profile::Strict).findings[0].severity, Block);
    image.input = Input::Dockerfile;
    assert_eq!(image.judge().findings[0].help, "write `USER 1000:1000`, or another group");
    let open_shift = image.judge_as(Profile::OpenShift);
    assert!(open_shift.findings.is_empty());
    assert!(
        open_shift.checks.iter().any(|(id, status)| id.0 == "USR-04" && *status == Status::Off)
    );
    let group = |lines: &str| {
        let mut image = based(|base| {
            base.file("/etc/group", 0o644, lines);
        });
        image.user("1000:44");
        image
    };
    group("docker:x:44:\n").finds(&[("USR-04", Warn, "the process runs in the group docker (44)")]);
    group("video:x:44:\ndocker:x:45:\n").passes();
}

#[test]
fn usr_06_finds_a_second_root() {
    passwd("root:x:0:0::/root:\ntoor:x:0:0::/root:\n").finds(&[(
        "USR-06",
        Block,
        "user \"toor\" is uid 0 like root",
    )]);
    passwd("root:x:0:0::/root:\ntoor:x:10:10::/root:\n").passes();
}

#[test]
fn usr_07_finds_passwords() {
    passwd("root::0:0:::\n").finds(&[("USR-07", Block, "user \"root\" has an empty password")]);
    passwd("a:$6$x:5:5:::\n").finds(&[("USR-07", Block, "user \"a\" has a password")]);
    let shadow = |line: &str| {
        based(|base| {
            base.file("/etc/shadow", 0o640, line);
        })
    };
    shadow("root::19000:0:99999:7:::\n").finds(&[(
        "USR-07",
        Block,
        "user \"root\" has an empty password",
    )]);
    shadow("root:$y$j9T$x:1::::::\n").finds(&[("USR-07", Block, "user \"root\" has a password")]);
    shadow("root:*:19000::::::\nnode:!:1::::::\na:!$6$x:1::::::\n").passes();
}

#[test]
fn usr_08_finds_login_shells_that_are_there() {
    let shell = |path: &str, login: &str| {
        let image = passwd(&format!("root:x:0:0::/root:{login}\n"));
        image.base.file(path, 0o755, elf(AMD64, None));
        image
    };
    shell("/opt/login", "/opt/login").finds(&[(
        "USR-08",
        Warn,
        "/opt/login is there, and root may log in with it",
    )]);
    shell("/sbin/nologin", "/sbin/nologin").passes();
    shell("/opt/login", "/bin/sh").passes(); // as Docker Hardened Images have it
}

#[test]
fn usr_09_finds_ids_that_stand_twice() {
    passwd("a:x:5:5:::\nb:x:5:6:::\n").finds(&[(
        "USR-09",
        Info,
        "users a and b have the same uid 5",
    )]);
    passwd("a:x:5:5:::\nb:x:6:5:::\n").passes();
}

#[test]
fn shl_01_believes_a_base_that_accuses_itself() {
    let label = |name: &str, value: &str| {
        let mut image = Image::sound();
        let labels = [(format!("com.docker.dhi.{name}"), value.to_owned())];
        image.config.base.labels.extend(labels.clone());
        image.config.labels.extend(labels);
        image
    };
    label("shell", "bash").finds(&[("SHL-01", Block, "the base declares the shell bash")]);
    for (name, value) in [("variant", "dev"), ("version", "24-dev"), ("version", "10-sdk")] {
        let message = "the base is a development image, which has a shell";
        label(name, value).finds(&[("SHL-01", Block, message)]);
    }
    label("shell", "").passes();
    label("version", "24-debian13").passes();
}

#[test]
fn a_list_that_is_cut_loses_what_weighs_least() {
    let mut image = Image::sound();
    for number in 0..300 {
        image.base.file(format!("/usr/bin/python3.{number}"), 0o755, elf(AMD64, None));
    }
    image.place(|layer| {
        layer.file("/zoo/perl", 0o755, elf(AMD64, None));
        for number in 0..300 {
            layer.file(format!("/app/node_modules/m{number}/compose.yaml"), 0o644, "x");
        }
        layer.file("/zoo/compose.yaml", 0o644, "x");
    });
    let judgement = image.judge_as(Profile::Standard);
    let found: Vec<_> = judgement
        .findings
        .iter()
        .filter(|one| one.path.as_deref().is_some_and(|path| path.starts_with("/zoo/")))
        .map(|one| (one.check.0, one.severity))
        .collect();
    assert_eq!(found, [("SHL-07", Warn), ("PKG-09", Warn)]);
    let last = judgement.findings.iter().rfind(|one| one.check.0 == "PKG-09").unwrap();
    assert!(last.message.ends_with(", and there are more"), "{}", last.message);
}

#[test]
fn shl_07_finds_interpreters_that_are_new() {
    let message = "/opt/bin/perl5.40 is an interpreter (perl) that the base does not have";
    placed(|layer| {
        layer.file("/opt/bin/perl5.40", 0o755, elf(AMD64, None));
    })
    .finds(&[("SHL-07", Warn, message)]);
    placed(|layer| {
        layer
            .link("/opt/venv/bin/node", "/usr/bin/node") // as a virtual environment has it
            .file("/app/node_modules/x/bin/perl", 0o755, "#!/usr/bin/node\n")
            .file("/app/perl", 0o644, "x");
    })
    .passes();
}

#[test]
fn shl_08_finds_programs_that_start_others() {
    let message = "/usr/bin/env starts programs or opens files (env)";
    placed(|layer| {
        layer.file("/usr/bin/env", 0o755, elf(AMD64, None));
    })
    .finds(&[("SHL-08", Warn, message)]);
    based(|base| {
        base.file("/usr/bin/env", 0o755, elf(AMD64, None));
    })
    .passes();
}

#[test]
fn shl_10_finds_listed_shells_that_are_there() {
    let image = based(|base| {
        base.file("/etc/shells", 0o644, "# shells\n/bin/sh\n/opt/login\n").file(
            "/opt/login",
            0o755,
            elf(AMD64, None),
        );
    });
    image.finds(&[("SHL-10", Info, "/etc/shells lists /opt/login, which is there")]);
    based(|base| {
        base.file("/etc/shells", 0o644, "# shells\n/bin/sh\n/bin/bash\n");
    })
    .passes();
}

#[test]
fn shl_11_hints_at_calls_of_a_shell() {
    let start = |text: &str| {
        based(|base| {
            base.file("/app/server.js", 0o644, text);
        })
    };
    start("const { exec } = require('child_process'); exec('ls | wc');").finds(&[(
        "SHL-11",
        Info,
        "/app/server.js may call a shell, which is not there: exec(",
    )]);
    start("require('child_process').spawn('x'); /a/.exec(text)").passes();
    start("exec('x')").passes();
}

#[test]
fn prv_01_finds_set_id_programs() {
    let image = placed(|layer| {
        layer.file("/app/x", 0o4755, elf(AMD64, None));
    });
    image.finds(&[("PRV-01", Block, "/app/x runs as user 0, whoever starts it (4755 0:0)")]);
    based(|base| {
        base.file("/app/x", 0o2755, elf(AMD64, None));
    })
    .finds(&[("PRV-01", Block, "/app/x runs as group 0, whoever starts it (2755 0:0)")]);
    based(|base| {
        // A folder hands its group down, and a link has no mode of its own.
        base.folder("/app/shared", 0o2755).link("/app/link", "server.js");
    })
    .passes();
}

fn with_capabilities(permitted: [u8; 4]) -> Image {
    let image = based(|base| {
        base.file("/app/x", 0o755, elf(AMD64, None));
    });
    let mut value = [1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    value[4..8].copy_from_slice(&permitted);
    let path = image.base.path().join("app/x");
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(path, "security.capability", &value, flags).unwrap();
    image
}

#[test]
fn prv_02_finds_capabilities() {
    with_capabilities([0, 0x20, 0, 0]).finds(&[(
        "PRV-02",
        Block,
        "/app/x has capabilities (0x2000)",
    )]);
    with_capabilities([0, 0x04, 0, 0]).finds(&[(
        "PRV-02",
        Warn,
        "/app/x has capabilities (cap_net_bind_service)",
    )]);
}

#[test]
fn prv_03_and_prv_04_find_what_everybody_may_write() {
    placed(|layer| {
        layer.file("/app/x", 0o666, "x");
    })
    .finds(&[("PRV-03", Block, "everybody may write /app/x (0666 0:0)")]);
    placed(|layer| {
        layer.folder("/srv/x", 0o777);
    })
    .finds(&[("PRV-04", Block, "everybody may write /srv/x (0777 0:0)")]);
    based(|base| {
        base.folder("/var/cache/x", 0o777);
    })
    .finds(&[("PRV-04", Warn, "everybody may write /var/cache/x (0777 0:0)")]);
    placed(|layer| {
        layer.file("/app/x", 0o664, "x").folder("/srv/x", 0o1777).link("/srv/link", "x");
    })
    .passes();
}

#[test]
fn prv_05_finds_devices_pipes_and_sockets() {
    let special = |kind| {
        placed(|layer| {
            layer.special("/app/x", kind);
        })
    };
    special(FileType::BlockDevice).finds(&[("PRV-05", Block, "/app/x is a device")]);
    special(FileType::Fifo).finds(&[("PRV-05", Warn, "/app/x is a named pipe")]);
    special(FileType::Socket).finds(&[("PRV-05", Warn, "/app/x is a socket")]);
    // A character device may stand for a deletion, which is another check.
    special(FileType::CharacterDevice).blocks(&["BASE-04"]);
    based(|base| {
        base.special("/dev/null", FileType::CharacterDevice);
    })
    .finds(&[("PRV-05", Block, "/dev/null is a device")]);
}

#[test]
fn prv_06_finds_files_of_the_app_that_it_may_change() {
    let owned = |layer: &Rootfs| {
        layer
            .file("/srv/a", 0o444, "x")
            .owner("/srv/a", 1000, 0)
            .file("/srv/b", 0o664, "x")
            .owner("/srv/b", 0, 1000);
    };
    let image = placed(owned);
    image.finds(&[("PRV-06", Warn, "the process may change /srv/a and 1 more")]);
    assert_eq!(image.judge().findings[0].origin, Origin::App { layer: 0 });
    let mut declared = placed(owned);
    declared.writable = vec!["/srv/".to_owned()];
    declared.base.folder("/srv", 0o755);
    assert!(declared.judge().findings.iter().all(|finding| finding.check.0 != "PRV-06"));
    based(owned).passes(); // as nginx of the catalogue has its configuration
    placed(|layer| {
        layer.file("/srv/b", 0o644, "x").owner("/srv/b", 0, 1000);
    })
    .passes();
}

#[test]
fn prv_07_finds_parts_of_the_system_that_the_process_may_change() {
    let image = based(|base| {
        base.owner("/etc/passwd", 1000, 0);
    });
    image.finds(&[("PRV-07", Block, "the process may change /etc/passwd (0644 1000:0)")]);
    placed(|layer| {
        layer.file("/usr/lib/x", 0o644, "x").owner("/usr/lib/x", 1000, 1000);
    })
    .finds(&[("PRV-07", Block, "the process may change /usr/lib/x")]);
    based(|base| {
        base.file("/etc/nginx/nginx.conf", 0o664, "x").owner("/etc/nginx/nginx.conf", 1000, 1000);
    })
    .passes();
    // The same where nobody can tell whose it is.
    let mut whole = based(|base| {
        base.file("/etc/nginx/nginx.conf", 0o664, "x").owner("/etc/nginx/nginx.conf", 1000, 1000);
    });
    whole.base_known = false;
    whole.finds(&[("PRV-07", Info, "the process may change /etc/nginx/nginx.conf")]);
    assert_eq!(whole.judge_as(Profile::Strict).blocking().count(), 0);
    whole.base.file("/usr/lib/libx.so", 0o644, "x").owner("/usr/lib/libx.so", 1000, 1000);
    whole.finds(&[
        ("PRV-07", Info, "the process may change /etc/nginx/nginx.conf"),
        ("PRV-07", Warn, "the process may change /usr/lib/libx.so"),
    ]);
    whole.base.owner("/etc/passwd", 1000, 0);
    whole.blocks(&["PRV-07"]);
}

#[test]
fn prv_08_finds_what_is_put_into_every_program() {
    let mut image = Image::sound();
    image.config.env.push("LD_PRELOAD=/app/x.so".to_owned());
    let message = "LD_PRELOAD puts code into every program that is started";
    image.finds(&[("PRV-08", Block, message)]);
    let message = "/etc/ld.so.preload puts code into every program that is started";
    placed(|layer| {
        layer.file("/etc/ld.so.preload", 0o644, "/app/x.so");
    })
    .finds(&[("PRV-08", Block, message)]);
    let mut near_miss = Image::sound();
    near_miss.config.env.extend(["LD_PRELOAD=", "LD_BIND_NOW=1"].map(str::to_owned));
    near_miss.passes();
}

#[test]
fn prv_09_finds_search_paths_that_others_may_fill() {
    let path = |path: &str| {
        let mut image = based(|base| {
            base.folder("/home/node/bin", 0o755).owner("/home/node/bin", 1000, 1000);
        });
        image.config.env = vec![format!("PATH={path}")];
        image
    };
    for (search, what) in [
        ("/usr/bin:", "an empty element, which is wherever the process is"),
        ("/usr/bin:.", "., which is wherever the process is"),
        ("bin:/usr/bin", "bin, which is wherever the process is"),
        ("/usr/bin:/home/node/bin", "/home/node/bin, where the process may put programs"),
    ] {
        path(search).finds(&[("PRV-09", Block, &format!("PATH has {what}"))]);
    }
    path("/usr/bin:/missing").passes();
    // Not there, and where the process may make it.
    for search in ["/home/node/bin/tools", "/tmp/bin", "/tmp/a/b"] {
        let what = format!("PATH has {search}, where the process may put programs");
        path(&format!("/usr/bin:{search}")).finds(&[("PRV-09", Block, &what)]);
    }
    path("/usr/bin:/home/bin").passes();
}

/// A program of a name, placed and in the base.
#[track_caller]
fn program(path: &str, check: &str, severity: Severity, message: &str) {
    let add = |root: &Rootfs| {
        root.file(path, 0o755, elf(AMD64, None));
    };
    placed(add).finds(&[(check, severity, message)]);
    assert_eq!(placed(add).judge().findings[0].origin, Origin::App { layer: 0 });
    assert_eq!(based(add).judge().findings[0].origin, Origin::Base);
    let elsewhere = format!("/app/node_modules/x{path}");
    placed(|layer| {
        layer.file(&elsewhere, 0o755, "#!/usr/bin/node\n").file(path, 0o644, "no program");
    })
    .passes();
}

#[test]
fn tools_are_found_by_name_where_programs_are() {
    program(
        "/opt/sudo",
        "PRV-10",
        Warn,
        "/opt/sudo is called like sudo, which runs programs as another user",
    );
    program("/usr/bin/apt-get", "PKG-01", Block, "/usr/bin/apt-get is a package manager (apt-get)");
    program("/opt/pip3.13", "PKG-02", Warn, "/opt/pip3.13 installs packages (pip)");
    program("/opt/gcc-14", "PKG-04", Block, "/opt/gcc-14 compiles or links (gcc)");
    let tool = "/opt/curl is a tool for the network or for debugging (curl)";
    program("/opt/curl", "PKG-05", Warn, tool);
    program("/usr/sbin/sshd", "PKG-06", Block, "/usr/sbin/sshd lets people log in (sshd)");
}

#[test]
fn a_link_called_like_a_tool_counts_where_it_leads_to_a_program() {
    let npm = |root: &Rootfs| {
        root.file("/app/node_modules/npm/bin/npm-cli.js", 0o755, "#!/usr/bin/node\n")
            .link("/usr/local/bin/npm", "/app/node_modules/npm/bin/npm-cli.js");
    };
    placed(npm).finds(&[("PKG-02", Warn, "/usr/local/bin/npm installs packages (npm)")]);
    placed(|layer| {
        layer.link("/usr/local/bin/npm", "/missing");
    })
    .passes();
}

#[test]
fn pkg_03_wants_the_records_of_packages() {
    let without = |paths: &[&str]| {
        let mut image = Image::sound();
        for path in paths {
            std::fs::remove_file(image.base.path().join(path)).unwrap();
        }
        image.base_known = false;
        image
    };
    without(&["var/lib/dpkg/status.d/node"]).finds(&[(
        "PKG-03",
        Block,
        "the image has no database of packages",
    )]);
    without(&["usr/lib/os-release"]).finds(&[("PKG-03", Block, "the image has no os-release")]);
    // No system at all, such as a program on `FROM scratch`.
    without(&["var/lib/dpkg/status.d/node", "usr/lib/os-release"]).finds(&[
        ("PKG-03", Warn, "the image has no database of packages"),
        ("PKG-03", Warn, "the image has no os-release"),
    ]);
    let mut bare = without(&["var/lib/dpkg/status.d/node"]);
    bare.base_known = true; // nothing has been taken away
    bare.finds(&[("PKG-03", Warn, "the image has no database of packages")]);
    let mut alpine = without(&["var/lib/dpkg/status.d/node"]);
    alpine.base.file("/lib/apk/db/installed", 0o644, "P:musl\n");
    alpine.base_known = true;
    alpine.passes();
}

#[test]
fn pkg_04_finds_what_only_compilers_read() {
    placed(|layer| {
        layer.file("/opt/include/x.h", 0o644, "x").file("/opt/lib/x.a", 0o644, "x");
    })
    .finds(&[(
        "PKG-04",
        Warn,
        "/opt/include/x.h and 1 more: only compilers and linkers read that",
    )]);
    let dependency = placed(|layer| {
        layer.file("/app/node_modules/x/binding.h", 0o644, "x");
    });
    assert_eq!(dependency.judge().findings[0].severity, Info);
    let of_pip = placed(|layer| {
        layer.file("/opt/venv/include/site/python3.13/greenlet/greenlet.h", 0o644, "x");
    });
    assert_eq!(of_pip.judge().findings[0].severity, Info);
    based(|base| {
        base.file("/usr/include/x.h", 0o644, "x");
    })
    .passes();
}

#[test]
fn pkg_06_finds_host_keys_and_the_port_of_ssh() {
    placed(|layer| {
        layer.file("/etc/ssh/ssh_host_rsa_key", 0o600, "x");
    })
    .finds(&[("PKG-06", Block, "/etc/ssh/ssh_host_rsa_key is the key of a host")]);
    let mut image = Image::sound();
    image.config.ports = vec!["22/tcp".to_owned()];
    image.blocks(&["PKG-06"]);
    let mut near_miss = placed(|layer| {
        layer.file("/etc/ssh/ssh_host_rsa_key.pub", 0o644, "x");
    });
    near_miss.config.ports = vec!["2222/tcp".to_owned()];
    near_miss.passes();
}

#[test]
fn pkg_07_finds_caches() {
    placed(|layer| {
        layer.file("/var/lib/apt/lists/x_Packages", 0o644, "x").file(
            "/root/.npm/_cacache/content-v2/ab",
            0o644,
            "x",
        );
    })
    .finds(&[(
        "PKG-07",
        Warn,
        "/root/.npm/_cacache/content-v2/ab and 1 more: what a package manager keeps for later",
    )]);
    placed(|layer| {
        layer.folder("/var/lib/apt/lists", 0o755).file("/var/lib/apt/lists/lock", 0o640, "");
    })
    .passes();
}

#[test]
fn pkg_08_and_pkg_09_find_what_development_leaves() {
    placed(|layer| {
        layer.file("/app/.git/HEAD", 0o644, "ref: refs/heads/main");
    })
    .finds(&[("PKG-08", Block, "/app/.git holds the history of the source")]);
    placed(|layer| {
        layer.file("/app/.git", 0o644, "gitdir: ../x");
    })
    .finds(&[("PKG-09", Warn, "/app/.git is left over from development")]);
    placed(|layer| {
        layer.file("/app/Dockerfile", 0o644, "FROM x");
    })
    .finds(&[("PKG-09", Warn, "/app/Dockerfile is left over from development")]);
    placed(|layer| {
        layer.file("/app/git/HEAD", 0o644, "x").file("/app/dockerfile.js", 0o644, "x");
    })
    .passes();
}

const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ";

fn key() -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n")
}

#[test]
fn sec_01_finds_private_keys() {
    let file = |path: &str, text: &str| {
        placed(|layer| {
            layer.file(path, 0o644, text);
        })
    };
    for path in ["/app/tls.key", "/app/id_rsa", "/app/config.yaml"] {
        let judgement = file(path, &key()).judge();
        let found = &judgement.findings[0];
        assert_eq!((judgement.findings.len(), found.check.0, found.severity), (1, "SEC-01", Block));
        assert!(found.message.starts_with(&format!("{path} has a private key in line 1 (sha256 ")));
        assert!(!found.message.contains(BODY));
    }
    let dependency = file("/app/node_modules/x/test/key.pem", &key());
    assert_eq!(dependency.judge().findings[0].severity, Warn);
    file("/app/cert.pem", &key().replace("PRIVATE KEY", "CERTIFICATE")).passes();
    file("/app/check.js", "if (text.includes('-----BEGIN PRIVATE KEY-----')) x()").passes();
}

#[test]
fn sec_02_finds_credentials() {
    let npmrc = |line: &str| {
        placed(|layer| {
            layer.file("/app/.npmrc", 0o644, format!("registry=https://r.example/\n{line}\n"));
        })
    };
    let judgement = npmrc("//r.example/:_authToken=s3cr3tvalue").judge();
    let found = &judgement.findings[0];
    assert_eq!((judgement.findings.len(), found.check.0, found.severity), (1, "SEC-02", Block));
    assert!(found.message.starts_with("/app/.npmrc has a token of a registry in line 2 (sha256 "));
    npmrc("//r.example/:_authToken=${NPM_TOKEN}").passes();
    placed(|layer| {
        layer.file("/app/.env", 0o644, "DB_PASSWORD=hunter2\n");
    })
    .blocks(&["SEC-02"]);
    placed(|layer| {
        layer.file("/app/.env.example", 0o644, "DB_PASSWORD=hunter2\n");
    })
    .passes();
}

#[test]
fn sec_03_finds_secrets_in_the_config() {
    let env = |variable: &str| {
        let mut image = Image::sound();
        image.config.env.push(variable.to_owned());
        image
    };
    env("DB_PASSWORD=hunter2").finds(&[(
        "SEC-03",
        Block,
        "the variable DB_PASSWORD holds a secret",
    )]);
    for variable in ["DB_PASSWORD=", "DB_PASSWORD_FILE=/run/x", "API_KEY=/run/secrets/key", "PWD=x"]
    {
        env(variable).passes();
    }
    let mut inherited = env("SIGN_KEY=E3FF2839C048B25C084D");
    inherited.config.base.env = vec!["SIGN_KEY=E3FF2839C048B25C084D".to_owned()];
    inherited.finds(&[("SEC-03", Info, "the variable SIGN_KEY holds a secret")]);
    let mut label = Image::sound();
    label.config.labels.insert("org.example.api-key".to_owned(), "s3cr3tvalue".to_owned());
    label.finds(&[("SEC-03", Block, "the label org.example.api-key holds a secret")]);
}

#[test]
fn sec_04_finds_tokens() {
    // Put together here, so that nobody's scanner takes this file for a leak.
    let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    let source = format!("x();\nconst t = '{token}';\n");
    let judgement = placed(|layer| {
        layer.file("/app/index.js", 0o644, &source);
    })
    .judge();
    let found = &judgement.findings[0];
    assert_eq!((judgement.findings.len(), found.check.0, found.severity), (1, "SEC-04", Warn));
    assert!(found.message.starts_with("/app/index.js has a token of GitHub in line 2 (sha256 "));
    assert!(!found.message.contains(&token));
    placed(|layer| {
        layer.file("/app/node_modules/x/index.js", 0o644, &source);
    })
    .passes();
}

#[test]
fn evidence_holds_no_secret() {
    let image = placed(|layer| {
        layer.file("/app/tls.key", 0o600, key()).file("/app/.env", 0o600, "TOKEN=hunter2hunter2\n");
    });
    let json = String::from_utf8(image.json()).unwrap();
    assert!(json.contains("/app/tls.key") && json.contains("/app/.env"));
    assert!(!json.contains(BODY) && !json.contains("hunter2"));
}

#[test]
fn sec_05_finds_credentials_under_other_files() {
    let twice = |path: &'static str| {
        let mut image = placed(|layer| {
            layer.file(path, 0o644, key());
        });
        image.place(|layer| {
            layer.file(path, 0o644, "nothing");
        });
        image
    };
    let image = twice("/app/tls.key");
    let message = "/app/tls.key is placed over another one, which stays in its layer";
    image.finds(&[("SEC-05", Block, message)]);
    assert_eq!(image.judge().findings[0].origin, Origin::App { layer: 0 });
    twice("/app/index.html").passes();
}

#[test]
fn profiles_weigh_in_their_own_way() {
    let weight = |id: &str, profile| Check::find(id).unwrap().weight(profile);
    assert_eq!(weight("PKG-02", Profile::Standard), Some(Warn));
    assert_eq!(weight("PKG-02", Profile::Strict), Some(Block));
    assert_eq!(weight("RUN-11", Profile::Disa), Some(Block));
    assert_eq!(weight("META-01", Profile::Strict), Some(Warn));
    assert_eq!(weight("USR-04", Profile::OpenShift), None);
    for check in CHECKS {
        for profile in Profile::ALL {
            let lenient = check.weight(profile).is_none_or(|weight| weight < check.severity);
            assert!(!lenient || profile == Profile::OpenShift, "{} {profile:?}", check.id);
        }
    }
}
