//! The stand-ins of bases without a shell, with one static program on them: nothing is wrong with
//! them in any profile.

use std::collections::BTreeMap;
use std::process::ExitCode;

use hardpan::harden::{self, Making, Policy, Profile, Severity, Subject, judge};
use hardpan::input::Input;
use hardpan::inspect::evidence::Inventory;
use hardpan::inspect::inventory;

use crate::support::image::{Image, text};
use crate::support::registry::read_base;

/// Runtime images of the catalogue whose definition has no shell.
const BASES: [&str; 5] = [
    "dhi.io/node:24",
    "dhi.io/python:3.13",
    "dhi.io/nginx:1",
    "dhi.io/static:20250419",
    "dhi.io/static:20250419-glibc",
];

fn config(image: &Image) -> harden::Config {
    let run = image.run();
    let words = |key: &str| image.words(key).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let map = |key: &str| -> BTreeMap<String, String> {
        let pairs = run[key].as_object().into_iter().flatten();
        pairs.map(|(name, value)| (name.clone(), text(value).to_owned())).collect()
    };
    // What the app on it brings: its command, its labels.
    let wanted = ["source", "revision", "version", "licenses"];
    let wanted = wanted.map(|name| (format!("org.opencontainers.image.{name}"), "x".to_owned()));
    let labels = map("Labels");
    let env = words("Env");
    harden::Config {
        user: "65532:65532".to_owned(),
        entrypoint: vec!["/app/start".to_owned()],
        workdir: "/app".to_owned(),
        healthcheck: vec!["CMD".to_owned(), "/app/start".to_owned()],
        platform: "linux/amd64".to_owned(),
        labels: labels.clone().into_iter().chain(wanted).collect(),
        base: harden::Base { name: String::new(), from_catalogue: true, labels, env: env.clone() },
        env,
        making: Some(Making { sbom: true, provenance: true, ..Making::default() }),
        ..harden::Config::default()
    }
}

/// The evidence about a base with a program placed on it.
fn looked_at(base: &str, config: &harden::Config) -> Inventory {
    let (root, layer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    read_base(base).unpack(root.path());
    std::fs::create_dir(layer.path().join("app")).unwrap();
    std::fs::copy("/sbin/ldconfig", layer.path().join("app/start")).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut words = vec!["--base".into(), root.path().as_os_str().to_owned()];
    words.extend(["--layer".into(), layer.path().as_os_str().to_owned()]);
    words.extend(["--config".into(), serde_json::to_string(&config.started()).unwrap().into()]);
    words.extend(["--out".into(), out.path().as_os_str().to_owned()]);
    assert_eq!(inventory::run(words.into_iter()), ExitCode::SUCCESS);
    Inventory::from_json(&std::fs::read(out.path().join(inventory::FILE)).unwrap()).unwrap()
}

#[test]
fn bases_without_a_shell_give_no_false_alarm_in_any_profile() {
    let mut complaints = Vec::new();
    for base in BASES {
        let config = config(&read_base(base).on("amd64"));
        let inventory = looked_at(base, &config);
        for profile in Profile::ALL {
            let subject = Subject {
                inventory: &inventory,
                config: &config,
                platform: "linux/amd64",
                today: jiff::civil::date(2026, 11, 23),
                writable: &[],
                base_known: true,
                input: Input::Spec,
            };
            let judgement = judge(&subject, &Policy::of(profile));
            for finding in &judgement.findings {
                if finding.severity > Severity::Info {
                    let (severity, message) = (finding.severity, &finding.message);
                    complaints.push(format!(
                        "{base} {}: {severity:?} {} {message}",
                        profile.name(),
                        finding.check
                    ));
                }
            }
            for (check, reason) in judgement.undecided() {
                complaints.push(format!("{base} {}: {} {reason}", profile.name(), check.id));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
