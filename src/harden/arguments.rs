//! What a known runtime is told to start: `node server.js`, `python -m app`, `java -jar app.jar`.

/// The file that an interpreter reads first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Script<'a> {
    pub(crate) runtime: Runtime,
    /// As it is written.
    pub(crate) path: &'a str,
}

/// Runtimes whose options are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    Node,
    Python,
    Java,
    Dotnet,
}

/// Options of node that take the next word (`node --help`, where they have a `=`).
const NODE_VALUES: &[&str] = &[
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "--env-file",
    "--env-file-if-exists",
    "-C",
    "--conditions",
    "--title",
    "--allow-fs-read",
    "--allow-fs-write",
    "--build-snapshot-config",
    "--cpu-prof-dir",
    "--cpu-prof-interval",
    "--cpu-prof-name",
    "--debug-port",
    "--diagnostic-dir",
    "--disable-proto",
    "--disable-warning",
    "--dns-result-order",
    "--experimental-config-file",
    "--experimental-default-type",
    "--experimental-policy",
    "--experimental-sea-config",
    "--heap-prof-dir",
    "--heap-prof-interval",
    "--heap-prof-name",
    "--heapsnapshot-near-heap-limit",
    "--heapsnapshot-signal",
    "--icu-data-dir",
    "--input-type",
    "--inspect-port",
    "--inspect-publish-uid",
    "--localstorage-file",
    "--max-http-header-size",
    "--max-old-space-size-percentage",
    "--network-family-autoselection-attempt-timeout",
    "--openssl-config",
    "--policy-integrity",
    "--redirect-warnings",
    "--report-dir",
    "--report-directory",
    "--report-filename",
    "--report-signal",
    "--secure-heap",
    "--secure-heap-min",
    "--snapshot-blob",
    "--test-concurrency",
    "--test-name-pattern",
    "--test-skip-pattern",
    "--test-reporter",
    "--test-reporter-destination",
    "--test-shard",
    "--test-timeout",
    "--tls-cipher-list",
    "--tls-keylog",
    "--trace-event-categories",
    "--trace-event-file-pattern",
    "--unhandled-rejections",
    "--use-largepages",
    "--v8-pool-size",
    "--watch-kill-signal",
    "--watch-path",
];

/// The file that a command tells its runtime to start with; `None` if it names none.
pub(crate) fn script(argv: &[String]) -> Option<Script<'_>> {
    let (first, rest) = argv.split_first()?;
    let program = first.rsplit('/').next().unwrap_or(first);
    let name = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let (runtime, path) = match name {
        "node" | "nodejs" => (Runtime::Node, node(&rest)?),
        "python" => (Runtime::Python, python(&rest)?),
        "java" => {
            let jar = rest.iter().position(|word| *word == "-jar")?;
            (Runtime::Java, *rest.get(jar + 1)?)
        }
        "dotnet" => {
            let first = rest.first()?;
            (Runtime::Dotnet, first.strip_suffix(".dll").map(|_| *first)?)
        }
        _ => return None,
    };
    Some(Script { runtime, path })
}

fn node<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--" => return words.next().copied(),
            "-" | "-e" | "--eval" | "-p" | "-pe" | "--print" | "-i" | "--interactive" | "--run"
            | "--test" | "-v" | "--version" | "-h" | "--help" => return None,
            option if NODE_VALUES.contains(&option) => {
                words.next();
            }
            option if option.starts_with('-') => {}
            file => return Some(file).filter(|_| file != "inspect"),
        }
    }
    None
}

fn python<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--" => return words.next().copied(),
            "-W" | "-X" => {
                words.next();
            }
            "-" | "--version" | "-V" | "-h" | "--help" => return None,
            option if option.starts_with('-') => {
                // Letters may stand together: `-Im app`.
                if option.contains(['m', 'c']) && !option.starts_with("--") {
                    return None;
                }
            }
            file => return Some(file),
        }
    }
    None
}

impl Script<'_> {
    /// The places where the runtime looks for it, seen from the working folder.
    pub(crate) fn places(&self, workdir: &str) -> Vec<String> {
        let path = crate::paths::join(workdir, self.path);
        let endings: &[&str] = match self.runtime {
            Runtime::Node => &["", ".js", ".json", ".node"],
            Runtime::Python | Runtime::Java | Runtime::Dotnet => &[""],
        };
        endings.iter().map(|ending| format!("{path}{ending}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_file_that_is_started() {
        let cases: &[(&[&str], Option<&str>)] = &[
            (&["node", "server.js"], Some("server.js")),
            (&["/usr/bin/node", "--require", "./a.js", "b.js", "c.js"], Some("b.js")),
            (&["node", "--max-old-space-size=200", "--", "x"], Some("x")),
            (&["node", "-e", "1"], None),
            (&["node", "--unhandled-rejections", "strict", "server.js"], Some("server.js")),
            (&["node", "--unhandled-rejections=strict", "server.js"], Some("server.js")),
            (&["node", "-pe", "1"], None),
            (&["node"], None),
            (&["python3.13", "-u", "main.py"], Some("main.py")),
            (&["python", "-W", "ignore", "main.py"], Some("main.py")),
            (&["python", "-m", "gunicorn", "x:y"], None),
            (&["python", "-Im", "gunicorn"], None),
            (&["java", "-Xmx1g", "-jar", "/app.jar", "x"], Some("/app.jar")),
            (&["java", "-cp", "x", "Main"], None),
            (&["dotnet", "app.dll"], Some("app.dll")),
            (&["dotnet", "exec", "app.dll"], None),
            (&["nginx", "-c", "x"], None),
        ];
        for (argv, expected) in cases {
            let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
            assert_eq!(script(&argv).map(|script| script.path), *expected, "{argv:?}");
        }
    }
}
