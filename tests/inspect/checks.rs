//! For each check an image that has exactly that defect, and near misses that pass.

use hardpan::harden::{CHECKS, Judgement, Origin, Severity, Status, summary};
use hardpan::input::Input;

use crate::image::Image;
use crate::rootfs::{AMD64, ARM64, Rootfs, elf};

/// A program that holds these bytes.
fn program(content: &[u8]) -> Vec<u8> {
    [elf(AMD64, None), content.to_vec()].concat()
}

/// Checks that passed, failed and were not evaluated.
fn tally(judgement: &Judgement) -> (usize, usize, usize) {
    let ended =
        |is: fn(&Status) -> bool| judgement.checks.iter().filter(|(_, status)| is(status)).count();
    (
        ended(|status| *status == Status::Passed),
        ended(|status| matches!(status, Status::Found(..))),
        ended(|status| matches!(status, Status::NotEvaluated(_))),
    )
}

#[test]
fn a_sound_image_passes_every_check() {
    let image = Image::sound();
    image.passes();
    let (inventory, judgement) = (image.inventory(), image.judge());
    assert_eq!(tally(&judgement), (CHECKS.len() - 1, 0, 1)); // nothing verifies signatures
    assert_eq!(
        summary(&image.subject(&inventory), &judgement),
        "runs as 1000:1000, no shell in 7 files, entrypoint /usr/bin/node executable"
    );
}

#[test]
fn usr_01_finds_root_in_every_spelling() {
    for user in ["0:0", "00:00", "0:1000"] {
        let mut image = Image::sound();
        image.user(user);
        let message = format!("the process runs as root: user \"{user}\" is uid 0");
        image.fails("USR-01", &message);
    }
    for user in ["", "root", "root:root", "0", ":1000", "toor"] {
        let mut image = Image::sound();
        image.base.file("/etc/passwd", 0o644, "root:x:0:0:::\ntoor:x:0:0:::\n");
        image.user(user);
        let checks: Vec<_> = image.judge().blocking().map(|finding| finding.check.0).collect();
        assert_eq!(checks, ["USR-01", "USR-02", "USR-06"], "{user}");
    }
    let mut near_miss = Image::sound();
    near_miss.user("1000:1000").passes();
}

#[test]
fn usr_02_wants_two_numbers() {
    let mut name = Image::sound();
    name.user("node");
    name.fails(
        "USR-02",
        "user \"node\" is not uid:gid, so nobody can tell from outside that it is not root",
    );
    assert_eq!(name.judge().findings[0].help, "write `user: \"1000:1000\"`");
    name.input = Input::Dockerfile;
    assert_eq!(name.judge().findings[0].help, "write `USER 1000:1000`");
    let mut number = Image::sound();
    number
        .user("1000")
        .fails("USR-02", "user \"1000\" has no group: it is whatever /etc/passwd says, or root's");
    Image::sound().user("65532:65532").passes();
}

#[test]
fn usr_03_finds_ids_that_overflow() {
    for user in ["4294967296:1000", "2147483648:1", "99999999999999999999:1"] {
        let mut image = Image::sound();
        let uid = user.split(':').next().unwrap();
        image.user(user).fails("USR-03", &format!("user id {uid} is not between 1 and 2147483647"));
    }
    let image = Image::sound();
    image.base.file("/etc/passwd", 0o644, "evil:x:4294967296:5:::\n");
    image.fails("USR-03", "user \"evil\" has ids that overflow: 4294967296:5");
    let image = Image::sound();
    image.base.file("/etc/passwd", 0o644, "4294967296:x:5:5:::\n");
    image.fails(
        "USR-03",
        "user \"4294967296\" is called like a number, which engines read in two ways",
    );
    let image = Image::sound();
    image.base.file("/etc/group", 0o644, "4711:x:5:\n");
    image.fails("USR-03", "group \"4711\" is called like a number, which engines read in two ways");
    let mut near_miss = Image::sound();
    near_miss.base.file("/etc/passwd", 0o644, "u2:x:2147483647:5:::\n");
    near_miss.base.file("/etc/group", 0o644, "g2:x:2147483647:\n");
    near_miss.user("2147483647:2147483647").passes();
}

#[test]
fn run_05_is_not_decided_for_an_unknown_machine() {
    let mut image = Image::sound();
    image.platform = "linux/foo";
    let judgement = image.judge();
    let (_, status) = judgement.checks.iter().find(|(id, _)| id.0 == "RUN-05").unwrap();
    let Status::NotEvaluated(reason) = status else { panic!("{status:?}") };
    assert_eq!(reason, "the machine of linux/foo is not known");
}

#[test]
fn usr_03_does_not_pass_a_list_that_was_cut() {
    let image = Image::sound();
    let lines: Vec<String> = (0..2000).map(|id| format!("u{id}x:x:{id}:5:::")).collect();
    image.base.file("/etc/passwd", 0o644, lines.join("\n"));
    let judgement = image.judge();
    let (_, status) = judgement.checks.iter().find(|(id, _)| id.0 == "USR-03").unwrap();
    let Status::NotEvaluated(reason) = status else { panic!("{status:?}") };
    assert_eq!(reason, "there are too many accounts to look at each");
}

#[test]
fn usr_05_wants_users_that_exist() {
    let cases = [
        ("nobody", "the container cannot start: /etc/passwd has no user \"nobody\""),
        ("node:wheel", "the container cannot start: /etc/group has no group \"wheel\""),
    ];
    for (user, message) in cases {
        let mut image = Image::sound();
        image.user(user);
        let judgement = image.judge();
        let found = judgement.findings.iter().find(|finding| finding.check.0 == "USR-05").unwrap();
        assert_eq!(found.message, message);
        assert!(
            judgement.checks.iter().any(|(id, status)| {
                id.0 == "USR-01" && matches!(status, Status::NotEvaluated(_))
            })
        );
    }
    let long = Image::sound();
    long.base.file("/etc/passwd", 0o644, vec![b'x'; 10 << 20]);
    long.fails(
        "USR-05",
        "the container cannot start: /etc/passwd cannot be read: line 1 is too long",
    );
    let without_files = Image::sound();
    std::fs::remove_file(without_files.base.path().join("etc/passwd")).unwrap();
    without_files.passes();
}

#[test]
fn shl_02_finds_shells_by_name_and_through_links() {
    let mut image = Image::sound();
    image.place(|layer| {
        layer.file("/app/bin/zsh-5.9", 0o755, elf(AMD64, None)).link("/app/bin/zsh", "zsh-5.9");
    });
    image.fails(
        "SHL-02",
        "shell found: /app/bin/zsh-5.9 (also /app/bin/zsh) is called zsh, placed by this spec",
    );
    assert_eq!(image.judge().findings[0].origin, Origin::App { layer: 0 });
    let image = Image::sound();
    image.base.file("/opt/tool", 0o755, elf(AMD64, None)).link("/usr/bin/sh", "/opt/tool");
    image.fails(
        "SHL-02",
        "shell found: /opt/tool (also /usr/bin/sh) is called sh, part of the base",
    );
    assert_eq!(image.judge().findings[0].help, "choose a base without a shell");
}

#[test]
fn shl_02_counts_scripts_where_programs_are() {
    let image = Image::sound();
    image.base.file("/opt/wrapper", 0o755, "#!/usr/bin/node\n").link("/usr/bin/sh", "/opt/wrapper");
    image.fails(
        "SHL-02",
        "shell found: /opt/wrapper (also /usr/bin/sh) is called sh, part of the base",
    );
    let image = Image::sound();
    for number in 0..30 {
        image.base.link(format!("/usr/bin/tool{number:02}"), "bash");
    }
    image.base.file("/usr/bin/bash", 0o755, elf(AMD64, None));
    image.fails(
        "SHL-02",
        "shell found: /usr/bin/bash (also /usr/bin/tool00, /usr/bin/tool01, /usr/bin/tool02 and 27 more) \
         is called bash, part of the base",
    );
}

#[test]
fn shl_02_leaves_alone_what_is_only_called_so() {
    let image = Image::sound();
    image
        .base
        .folder("/usr/share/zsh", 0o755)
        .file("/usr/share/bash-completion/completions/bash", 0o644, "complete")
        .file("/app/node_modules/sh/bash.js", 0o755, "#!/usr/bin/env node\n")
        .file("/app/node_modules/.bin/rc", 0o755, "#!/usr/bin/env node\n")
        .file("/app/node_modules/x/bin/bash", 0o755, "#!/usr/bin/env node\n")
        .file("/usr/lib/python3/site-packages/sh.py", 0o644, "import os")
        .file("/app/run.sh", 0o755, "#!/bin/sh\n")
        .file("/app/sh", 0o644, "not a program")
        .link("/app/bash", "/missing/bash");
    image.passes();
}

#[test]
fn shl_03_finds_shells_under_other_names() {
    for shell in ["/bin/dash", "/bin/bash"] {
        let mut image = Image::sound();
        image.place(|layer| {
            layer.program("/app/helper", shell);
        });
        let judgement = image.judge();
        let found: Vec<_> = judgement.blocking().map(|finding| finding.check.0).collect();
        assert_eq!(found, ["SHL-03"], "{shell}");
        assert!(judgement.findings[0].message.starts_with("shell found: /app/helper is a shell"));
    }
    let mut image = Image::sound();
    image.place(|layer| {
        layer
            .file("/app/a", 0o755, program(b"\0esac\0elif\0then\0done\0PS1=$ \0IFS\0"))
            .hard_link("/app/z", "/app/a")
            .link("/app/l", "z");
    });
    image.fails(
        "SHL-03",
        "shell found: /app/a (also /app/l, /app/z) is a shell under another name: 4 reserved words \
         and 2 variables of a shell stand together in it, placed by this spec",
    );
}

#[test]
fn shl_03_knows_shells_that_keep_their_words_elsewhere() {
    let signatures: [&[u8]; 4] = [
        b"Yet another shell, version",
        b"Stand-alone shell",
        b"/etc/csh.cshrc\0csh.login",
        b"GNU bash, version",
    ];
    for signature in signatures {
        let mut image = Image::sound();
        image.place(|layer| {
            layer.file("/app/x", 0o755, program(signature));
        });
        assert_eq!(image.judge().findings[0].check.0, "SHL-03", "{signature:?}");
    }
}

#[test]
fn shl_03_is_not_taken_in_by_chance() {
    let mut image = Image::sound();
    image.place(|layer| {
        let far = |words: &[&[u8]]| {
            let gap = vec![1; 80 << 10];
            program(&words.iter().flat_map(|word| [*word, &gap].concat()).collect::<Vec<_>>())
        };
        layer
            .file(
                "/app/far",
                0o755,
                far(&[b"\0esac\0PS1=", b"\0elif\0", b"\0then\0", b"\0done\0IFS\0"]),
            )
            .file("/app/three", 0o755, program(b"\0esac\0elif\0then\0PS1=\0PS2=\0"))
            .file("/app/one", 0o755, program(b"\0esac\0elif\0then\0done\0PS1=\0"))
            .file("/app/text", 0o755, "esac elif then done fi until PS1= PS2= IFS")
            .file("/app/csh", 0o644, "/etc/csh.cshrc")
            .file("/app/half", 0o755, program(b"/etc/csh.cshrc BusyBox v1.36"));
    });
    image.passes();
}

#[test]
fn shl_09_warns_of_a_shell_that_only_a_loader_runs() {
    let mut image = Image::sound();
    image.place(|layer| {
        layer.file("/app/data.so", 0o644, program(b"GNU bash, version"));
    });
    image.fails(
        "SHL-09",
        "shell found: /app/data.so is a shell that only a loader runs: it holds the texts of GNU \
         bash, placed by this spec",
    );
    let mut near_miss = Image::sound();
    near_miss.place(|layer| {
        layer.file("/app/data.so", 0o644, program(b"GNU bash"));
    });
    near_miss.passes();
}

#[test]
fn shl_04_finds_busybox_under_any_name() {
    let content =
        b"BusyBox v1.36.1 (Debian)\0applet not found\0\0esac\0elif\0then\0done\0PS1=\0PS2=\0";
    let mut image = Image::sound();
    image.place(|layer| {
        layer.file("/app/tools/x", 0o755, program(content)).link("/app/tools/y", "x");
    });
    image.fails(
        "SHL-04",
        "shell found: /app/tools/x (also /app/tools/y) is BusyBox, placed by this spec",
    );
    let mut near_miss = Image::sound();
    near_miss.place(|layer| {
        layer.file("/app/scanner", 0o755, program(b"looks for BusyBox v1"));
    });
    near_miss.passes();
}

#[test]
fn shl_05_and_shl_06_find_commands_that_need_a_shell() {
    let mut image = Image::sound();
    image.base.file("/usr/bin/npm", 0o755, "#!/usr/bin/node\n");
    image.entrypoint(&["npm", "start"]);
    image.blocks(&["SHL-05"]);
    image.entrypoint(&["npm", "--version"]).blocks(&[]);
    let mut image = Image::sound();
    image.config.healthcheck = vec!["CMD-SHELL".to_owned(), "curl localhost".to_owned()];
    image.fails("SHL-06", "healthcheck is a text, which only a shell can run");
    image.config.healthcheck = vec!["NONE".to_owned()];
    image.passes();
}

#[test]
fn run_01_finds_commands_that_are_not_there() {
    let cases: [(&[&str], &str); 5] = [
        (&["nginx"], "\"nginx\" is in none of the folders of PATH (/usr/local/bin:/usr/bin)"),
        (&["/app/missing"], "/app/missing does not exist in the image"),
        (&["./missing"], "/app/./missing does not exist in the image"),
        (&["/app"], "/app is a folder"),
        (&["/loop/x"], "/loop/x cannot be reached: too many links"),
    ];
    for (argv, message) in cases {
        let mut image = Image::sound();
        image.base.link("/loop", "loop").link("/app/dangling", "/nowhere");
        image.entrypoint(argv).fails("RUN-01", &format!("entrypoint does not start: {message}"));
    }
    let mut empty = Image::sound();
    empty.entrypoint(&[]).fails("RUN-01", "the image has neither entrypoint nor cmd");
    let mut near_miss = Image::sound();
    near_miss.base.link("/app/start", "../../../../bin/node").link("/usr/local/bin/node", "gone");
    near_miss.entrypoint(&["./start"]).passes();
    near_miss.entrypoint(&["node"]).passes();
}

#[test]
fn run_02_follows_permissions_all_the_way() {
    let closed = |mode, folder| {
        let mut image = Image::sound();
        image.base.folder("/opt/x", folder).file("/opt/x/app", mode, elf(AMD64, None));
        image.entrypoint(&["/opt/x/app"]);
        image
    };
    closed(0o644, 0o755).fails(
        "RUN-02",
        "entrypoint does not start: user 1000:1000 cannot execute /opt/x/app (0644 0:0)",
    );
    closed(0o755, 0o750).fails(
        "RUN-02",
        "entrypoint does not start: user 1000:1000 cannot search /opt/x (0750 0:0)",
    );
    let owned = closed(0o700, 0o700);
    owned.base.owner("/opt/x", 1000, 0).owner("/opt/x/app", 0, 1000);
    owned.fails(
        "RUN-02",
        "entrypoint does not start: user 1000:1000 cannot execute /opt/x/app (0700 0:1000)",
    );
    owned.base.owner("/opt/x/app", 1000, 0);
    owned.passes();
    // PATH goes on after a file that the user cannot execute.
    let mut image = Image::sound();
    image.base.file("/usr/local/bin/node", 0o600, elf(AMD64, None));
    image.entrypoint(&["node"]).passes();
}

#[test]
fn run_03_wants_the_interpreter() {
    let cases: [(&[u8], &str); 5] = [
        (b"#!/usr/bin/python3\n", "/app/x needs /usr/bin/python3, which the image does not have"),
        (b"#!/usr/bin/env node\n", "/app/x needs /usr/bin/env, which the image does not have"),
        (b"#!/usr/bin/node\r\n", "/app/x has a #! line that ends in a carriage return"),
        (b"#!/app/x\n", "/app/x cannot be looked at: too many interpreters in a row"),
        (b"#!/etc/passwd\n", "user 1000:1000 cannot execute /etc/passwd (0644 0:0)"),
    ];
    for (script, message) in cases {
        let mut image = Image::sound();
        image.place(|layer| {
            layer.file("/app/x", 0o755, script);
        });
        image.entrypoint(&["/app/x"]);
        let found = image.judge().findings;
        let found: Vec<_> = found.iter().filter(|finding| finding.check.0 == "RUN-03").collect();
        assert_eq!(found[0].message, format!("entrypoint does not start: {message}"));
        assert_eq!(
            found[0].origin,
            if message.contains("passwd (") { Origin::Base } else { Origin::App { layer: 0 } }
        );
    }
    for script in ["#!/usr/bin/node\n", "#! /usr/bin/node --flag\n", "#!/bin/node", "#!/app/y\n"] {
        let mut image = Image::sound();
        image.base.file("/app/y", 0o755, "#!/usr/bin/node\n").file("/app/x", 0o755, script);
        image.entrypoint(&["/app/x"]).passes();
    }
}

#[test]
fn run_03_asks_what_env_will_find() {
    let image = |line: &str| {
        let mut image = Image::sound();
        image.base.file("/usr/bin/env", 0o755, elf(AMD64, None)).file("/app/x", 0o755, line);
        image.entrypoint(&["/app/x"]);
        image
    };
    image("#!/usr/bin/env node\n").passes();
    image("#!/usr/bin/env -S node --flag\n").passes();
    image("#!/usr/bin/env python3\n").fails(
        "RUN-03",
        "entrypoint does not start: /app/x needs \"python3\", which is not in PATH",
    );
    image("#!/usr/bin/env node --flag\n").fails(
        "RUN-03",
        "entrypoint does not start: /app/x needs \"node --flag\", which is not in PATH",
    );
}

#[test]
fn run_03_knows_how_much_of_a_line_the_kernel_reads() {
    let mut image = Image::sound();
    let line = format!("#!/usr/bin/node {}\n", "x".repeat(300));
    image.base.file("/app/x", 0o755, line);
    image
        .entrypoint(&["/app/x"])
        .fails("RUN-03", "entrypoint does not start: /app/x has a #! line of more than 255 bytes");
    let line = format!("#!/usr/bin/node {}\n", "x".repeat(200));
    image.base.file("/app/x", 0o755, line);
    image.passes();
}

#[test]
fn run_04_finds_what_the_kernel_refuses() {
    let cases: [(&[u8], &str); 3] = [
        (b"console.log(1)\n", "/app/x is text without a #! line"),
        (b"", "/app/x is empty"),
        (b"PK\x03\x04\0\0", "/app/x is neither a program nor a script"),
    ];
    for (content, message) in cases {
        let mut image = Image::sound();
        image.base.file("/app/x", 0o755, content);
        image
            .entrypoint(&["/app/x"])
            .fails("RUN-04", &format!("entrypoint does not start: {message}"));
    }
    // As an argument, a text is nothing that the kernel executes.
    let mut near_miss = Image::sound();
    near_miss.base.file("/app/x", 0o755, "console.log(1)\n");
    near_miss.entrypoint(&["node", "/app/x"]).passes();
}

#[test]
fn run_05_wants_machine_and_loader() {
    let cases = [
        (elf(ARM64, None), "/app/x is built for arm64, the image is linux/amd64"),
        (
            elf(AMD64, Some("/lib/ld-musl-x86_64.so.1")),
            "/app/x needs /lib/ld-musl-x86_64.so.1, which the image does not have (it is linked \
             with musl, as on Alpine)",
        ),
        (elf(9_999, None), "/app/x is built for another machine, the image is linux/amd64"),
        (
            elf(AMD64, Some("/etc/passwd")),
            "/app/x cannot be loaded: user 1000:1000 cannot execute /etc/passwd (0644 0:0)",
        ),
    ];
    for (content, message) in cases {
        let mut image = Image::sound();
        image.base.file("/app/x", 0o755, content);
        image
            .entrypoint(&["/app/x"])
            .fails("RUN-05", &format!("entrypoint does not start: {message}"));
    }
    let mut near_miss = Image::sound();
    near_miss.base.file("/app/x", 0o755, elf(AMD64, Some("/lib64/ld-linux-x86-64.so.2")));
    near_miss.entrypoint(&["/app/x"]).passes();
}

#[test]
fn run_09_wants_a_folder_that_can_be_entered() {
    let workdir = |path: &str| {
        let mut image = Image::sound();
        image.base.folder("/closed", 0o700).folder("/closed/in", 0o755).folder("/proc/x", 0o755);
        image.base.link("/round", "/round");
        path.clone_into(&mut image.config.workdir);
        image.entrypoint(&["/usr/bin/node", "/app/server.js"]);
        image
    };
    let cases = [
        ("/missing", "workdir /missing does not exist"),
        ("/round", "workdir /round cannot be reached: too many links"),
        ("/etc/passwd", "workdir /etc/passwd is a file"),
        ("/closed", "workdir cannot be entered: user 1000:1000 cannot search /closed (0700 0:0)"),
        (
            "/closed/in",
            "workdir cannot be entered: user 1000:1000 cannot search /closed (0700 0:0)",
        ),
        ("/proc/x", "workdir /proc/x lies in /proc, which is mounted over"),
    ];
    for (path, message) in cases {
        workdir(path).fails("RUN-09", message);
    }
    for path in ["/", "", "/tmp", "/app/", "app"] {
        workdir(path).passes();
    }
}

#[test]
fn run_12_asks_health_checks_the_same() {
    let mut image = Image::sound();
    image.config.healthcheck = ["CMD", "curl", "-f", "localhost"].map(str::to_owned).into();
    image.fails(
        "RUN-12",
        "healthcheck does not start: \"curl\" is in none of the folders of PATH (/usr/local/bin:/usr/bin)",
    );
    image.config.healthcheck = Vec::new();
    let judgement = image.judge();
    assert_eq!((judgement.findings.len(), judgement.findings[0].severity), (1, Severity::Info));
}

#[test]
fn base_02_finds_what_a_layer_does_to_the_base() {
    type Case = (fn(&Rootfs), &'static str);
    let cases: [Case; 4] = [
        (
            |layer| {
                layer.file("/bin/tool", 0o755, "x");
            },
            "/bin of the base changes from a link to a folder",
        ),
        (
            |layer| {
                layer.folder("/tmp", 0o755);
            },
            "/tmp of the base changes from 1777 0:0 to 0755 0:0",
        ),
        (
            |layer| {
                layer.folder("/app", 0o755).owner("/app", 1000, 1000);
            },
            "/app of the base changes from 0755 0:0 to 0755 1000:1000",
        ),
        (
            |layer| {
                layer.file("/etc/app.conf", 0o664, "b");
            },
            "/etc/app.conf of the base changes from 0644 0:0 to 0664 0:0",
        ),
    ];
    for (place, message) in cases {
        let mut image = Image::sound();
        image.base.file("/etc/app.conf", 0o644, "a");
        // Found through a path that does not go through /bin.
        image.place(|_| {}).place(place).entrypoint(&["/usr/bin/node"]);
        image.fails("BASE-02", message);
        assert_eq!(image.judge().findings[0].origin, Origin::App { layer: 1 });
    }
    let mut near_miss = Image::sound();
    near_miss.base.file("/etc/app.conf", 0o644, "a");
    near_miss.writable = vec!["/app".to_owned()];
    near_miss.place(|layer| {
        layer
            .folder("/app", 0o755)
            .owner("/app", 1000, 1000)
            .folder("/tmp", 0o1777)
            .file("/usr/bin/tool", 0o755, "x")
            .file("/etc/app.conf", 0o644, "b");
    });
    near_miss.passes();
}

#[test]
fn base_02_lets_a_placed_file_take_rights_away() {
    let mut image = Image::sound();
    image.base.file("/etc/app.conf", 0o664, "a").owner("/etc/app.conf", 1000, 1000);
    image.place(|layer| {
        layer.file("/etc/app.conf", 0o644, "b");
    });
    image.passes();
    let mut looser = Image::sound();
    looser.base.file("/etc/app.conf", 0o640, "a");
    looser.place(|layer| {
        layer.file("/etc/app.conf", 0o644, "b");
    });
    looser.fails("BASE-02", "/etc/app.conf of the base changes from 0640 0:0 to 0644 0:0");
}

#[test]
fn base_01_finds_a_replaced_record_of_the_base() {
    for path in ["/etc/os-release", "/var/lib/dpkg/status.d/node"] {
        let mut image = Image::sound();
        image.base.file(path, 0o644, "ID=debian\n");
        image.place(|_| {}).place(|layer| {
            layer.file(path, 0o644, "ID=other\n");
        });
        image.fails("BASE-01", &format!("{path} of the base is replaced"));
    }
    let mut near_miss = Image::sound();
    near_miss.base.file("/etc/app.conf", 0o644, "a").file("/etc/os-release", 0o644, "ID=debian\n");
    near_miss.place(|layer| {
        layer.file("/etc/app.conf", 0o644, "b").file("/etc/os-release.d/x", 0o644, "");
    });
    near_miss.passes();
}

#[test]
fn a_shell_behind_a_thousand_decoys_is_not_proven_absent() {
    let mut image = Image::sound();
    image.place(|layer| {
        for number in 0..1_001 {
            let decoy = [elf(AMD64, None), b"\0toybox \0".to_vec()].concat();
            layer.file(format!("/app/a/{number}"), 0o755, decoy);
        }
        layer.program("/usr/bin/zsh", "/bin/dash");
    });
    let judgement = image.judge();
    let undecided = |id: &str| {
        judgement.checks.iter().any(|(check, status)| {
            check.0 == id && matches!(status, Status::NotEvaluated(_) | Status::Found(..))
        })
    };
    assert!(undecided("SHL-02") && undecided("SHL-03"), "{:?}", judgement.checks);
}

#[test]
fn shl_05_finds_a_loader_as_entrypoint() {
    let mut image = Image::sound();
    image.base.file("/lib64/ld-linux-x86-64.so.2", 0o755, elf(AMD64, None));
    image.entrypoint(&["/lib64/ld-linux-x86-64.so.2", "/app/data"]).fails(
        "SHL-05",
        "entrypoint needs a shell: \"/lib64/ld-linux-x86-64.so.2\" is a loader, which runs \
             any file, executable or not",
    );
}

#[test]
fn base_03_finds_a_file_over_a_placed_folder() {
    let placed = |again: fn(&Rootfs)| {
        let mut image = Image::sound();
        image.place(|layer| {
            layer.folder("/srv/data", 0o755).file("/srv/other", 0o644, "x");
        });
        image.place(again);
        image
    };
    let file_over_folder = placed(|layer| {
        layer.file("/srv/data", 0o644, "x");
    });
    file_over_folder
        .fails("BASE-03", "/srv/data was placed as a folder and is placed again as a file");
    let folder_over_file = placed(|layer| {
        layer.folder("/srv/other", 0o755);
    });
    folder_over_file
        .fails("BASE-03", "/srv/other was placed as a file and is placed again as a folder");
    let near_miss = placed(|layer| {
        layer.file("/srv/other", 0o644, "y").folder("/srv/data", 0o755);
    });
    near_miss.passes();
    let mut writable = placed(|layer| {
        layer.file("/srv/data", 0o644, "x").owner("/srv/data", 1000, 1000);
    });
    writable.writable = vec!["/srv/data".to_owned()];
    writable.passes();
}

#[test]
fn base_04_finds_names_that_stand_for_a_deletion() {
    let mut image = Image::sound();
    image.place(|layer| {
        layer.file("/etc/.wh.passwd", 0o644, "");
    });
    image.fails("BASE-04", "/etc/.wh.passwd deletes another file where the image is unpacked");
    let mut near_miss = Image::sound();
    near_miss.place(|layer| {
        layer.file("/etc/x.wh.passwd", 0o644, "").file("/etc/.white", 0o644, "");
    });
    near_miss.passes();
}

#[test]
fn base_02_is_not_evaluated_where_the_base_is_not_known() {
    let mut image = Image::sound();
    image.base_known = false;
    let judgement = image.judge();
    assert_eq!(tally(&judgement), (CHECKS.len() - 11, 0, 11)); // what looks at the base, and SUP-03
    image.base.program("/opt/x", "/bin/dash");
    assert_eq!(image.judge().findings[0].origin, Origin::Image);
}

#[test]
fn a_finding_says_what_to_write() {
    let mut image = Image::sound();
    image.user("0:0").entrypoint(&["nginx"]);
    let judgement = image.judge();
    let found: Vec<_> = judgement.blocking().map(|one| (one.check.0, one.help.as_str())).collect();
    let expected = [
        ("USR-01", "name a user other than root in `user`, or leave `user` out to take the base's"),
        ("RUN-01", "write a path that the image has, or copy the program to a folder of PATH"),
    ];
    assert_eq!(found, expected);
    assert_eq!(tally(&judgement), (CHECKS.len() - 3, 2, 1));
}

#[test]
fn a_command_behind_an_init_is_judged_as_well() {
    let mut image = Image::sound();
    image.base.file("/usr/bin/tini", 0o755, elf(AMD64, None));
    image.entrypoint(&["tini", "--", "nginx"]).fails(
        "RUN-01",
        "entrypoint does not start: \"nginx\" is in none of the folders of PATH (/usr/local/bin:/usr/bin)",
    );
    image.entrypoint(&["tini", "--", "node"]).passes();
}
