//! The keys of a file, an app, a stage, and of what stands in them apart from steps.

use super::harden::{HARDEN, PROFILES};
use super::steps::{ADD, CACHE, COPY, LINK, MKDIR, PACKAGES, RUN, WRITE};
use super::testing::{TEST_RUN, TEST_START};
use super::{
    ARGUMENT_NAME, COMMAND, DURATION, Key, Kind, MODE, Merges, NAME, PLATFORM, PORT, Shape,
    VARIABLES,
};

const STEPS: Kind = Kind::List(&Kind::Any(&[
    Kind::Shape(&RUN),
    Kind::Shape(&COPY),
    Kind::Shape(&ADD),
    Kind::Shape(&WRITE),
    Kind::Shape(&MKDIR),
    Kind::Shape(&LINK),
    Kind::Shape(&PACKAGES),
]));

const PLACES: Kind = Kind::List(&Kind::Any(&[
    Kind::Shape(&COPY),
    Kind::Shape(&ADD),
    Kind::Shape(&WRITE),
    Kind::Shape(&MKDIR),
    Kind::Shape(&LINK),
]));

/// The keys that belong to a file as a whole.
const FILE_KEYS: &[Key] = &[
    key!(
        "args",
        Kind::Map(ARGUMENT_NAME, &Kind::Any(&[Kind::Null, Kind::Text, Kind::Shape(&ARGUMENT)])),
        "{NODE: 24, GIT_SHA: null}",
        "What may be given with `--build-arg`, and written as `${NAME}`",
    ),
    key!(
        "registry",
        Kind::Text,
        "docker.io/acme/dhi-",
        "The prefix of image names without a slash; `dhi.io/` by default",
    ),
    key!(
        "build",
        Kind::Any(&[
            STEPS,
            Kind::Shape(&STAGE),
            Kind::Stages(&Kind::Any(&[STEPS, Kind::Shape(&STAGE)]))
        ]),
        "[{run: npm ci --omit=dev, cache: /root/.npm}]",
        "The steps of the stage `build`, or several stages by name; nothing of them ships unless it is copied",
    ),
    key!(
        "apps",
        Kind::Map(NAME, &Kind::Any(&[Kind::Null, Kind::Shape(&APP)])),
        "{server: {entrypoint: [node, server.js]}, worker: {entrypoint: [node, worker.js]}}",
        "Several images of one file, chosen by `--target`; the top level holds their defaults",
    ),
];

/// The keys of an app.
const APP_KEYS: &[Key] = &[
    key!(
        "base",
        Kind::Any(&[Kind::Text, Kind::Shape(&PAIR)]),
        "node:24",
        "The pair of images: one builds, the other is shipped",
    ),
    key!(
        "workdir",
        Kind::Text,
        "/usr/src/app",
        "The working directory of the image, and of stages without one of their own"
    ),
    key!(
        "image",
        PLACES,
        "[{copy: ., from: build}]",
        "What is placed on the runtime image, in order"
    ),
    key!("env", VARIABLES, "{NODE_ENV: production}", "The environment of the image"),
    key!(
        "writable",
        Kind::OneOrMore(&Kind::Any(&[Kind::Text, Kind::Shape(&WRITABLE)])),
        "binary",
        "Folders, or placed files, that the runtime user may write; everything else is root's",
    ),
    key!(
        "user",
        Kind::Pattern("^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$"),
        "65532:65532",
        "Another user than the runtime image's; never root"
    ),
    key!("entrypoint", COMMAND, "[node, server.js]", "What is started, as a list"),
    key!(
        "cmd",
        COMMAND,
        "[--port, 8080]",
        "The arguments of the entrypoint, or without one the command, as a list"
    ),
    key!("expose", Kind::OneOrMore(&PORT), "[8080, 53/udp]", "The ports that the app listens on"),
    key!("labels", VARIABLES, "{org.opencontainers.image.title: shop}", "The labels of the image"),
    key!(
        "annotations",
        VARIABLES,
        "{org.opencontainers.image.vendor: acme}",
        "The annotations of the image's manifest"
    ),
    key!(
        "stopsignal",
        Kind::Pattern("^([0-9]{1,2}|SIG[A-Z0-9]+([+-][0-9]{1,2})?)$"),
        "SIGINT",
        "The signal that stops the app"
    ),
    key!(
        "volumes",
        Kind::OneOrMore(&Kind::Text),
        "[/data]",
        "Folders that are volumes; they are writable"
    ),
    key!(
        "platforms",
        Kind::OneOrMore(&PLATFORM),
        "[linux/amd64, linux/arm64]",
        "The platforms that the app may be built for"
    ),
    key!(
        "healthcheck",
        Kind::Any(&[Kind::Words(&["none"]), Kind::Filled(&Kind::Text), Kind::Shape(&HEALTHCHECK)]),
        "[node, healthcheck.mjs]",
        "The command that says whether the app is well, or `none`",
    ),
    key!(
        "test",
        Kind::OneOrMore(&Kind::Any(&[Kind::Shape(&TEST_RUN), Kind::Shape(&TEST_START)])),
        "[{start: true, http: 8080/healthz}, {run: [node, --version], stdout: /^v24/}]",
        "What must hold in the finished image, tried in it before it is returned",
    ),
    key!(
        "harden",
        Kind::Any(&[Kind::Words(PROFILES), Kind::Shape(&HARDEN)]),
        "strict",
        "How strict the gate is, and which of its findings are accepted",
    ),
];

/// Keys of an app that later releases have.
const APP_LATER: &[&str] = &["init"];

/// Words of other files for the keys of an app.
const APP_INSTEAD: &[(&str, &str)] = &[
    ("from", "write `base: NAME`, the name of a pair"),
    ("run", "commands run in a stage: write it as a step of `build`"),
    ("copy", "write it as a step of `build`, or of `image`"),
    ("add", "write it as a step of `build`, or of `image`"),
    ("steps", "write the steps below `build`"),
    ("packages", "write it as a step of `build`"),
    ("command", "write `cmd`, or `entrypoint`"),
    ("environment", "write `env`"),
    ("ports", "write `expose`; ports are published when the image is run"),
    ("volume", "write `volumes`"),
    ("label", "write `labels`"),
    ("arg", "write `args`, at the top level of the file"),
    ("platform", "write `platforms`; the platform of a stage stands in the stage"),
    ("shell", "there is no shell in the image"),
    ("onbuild", "images made here are not built upon"),
    ("maintainer", "write `labels: {org.opencontainers.image.authors: NAME}`"),
    ("stages", "write `build`"),
    ("stop_signal", "write `stopsignal`"),
    ("working_dir", "write `workdir`"),
    ("tests", "write `test`"),
    ("waivers", "write them below `harden`"),
    ("profile", "write `harden: NAME`"),
    ("policy", "write `harden`; a policy for every file is a context of the build"),
];

/// A file.
pub(in crate::spec) static FILE: Shape = Shape {
    name: "file",
    title: "a spec",
    doc: "A hardened image, or with `apps` several",
    keys: &[FILE_KEYS, APP_KEYS],
    later: APP_LATER,
    instead: APP_INSTEAD,
    merges: Merges::Never,
};

/// An app of a file with several.
pub(in crate::spec) static APP: Shape = Shape {
    name: "app",
    title: "an app",
    doc: "One image of the file; what it leaves out comes from the top level, `KEY: null` drops a default",
    keys: &[APP_KEYS],
    later: APP_LATER,
    instead: &[
        ("build", "stages are shared by all apps: write them at the top level"),
        ("args", "build arguments belong to the file: write them at the top level"),
        ("registry", "the registry belongs to the file: write it at the top level"),
        ("from", "write `base: NAME`, the name of a pair"),
        ("run", "commands run in a stage: write it as a step of `build`"),
        ("copy", "write it as a step of `image`"),
        ("add", "write it as a step of `image`"),
        ("command", "write `cmd`, or `entrypoint`"),
        ("environment", "write `env`"),
        ("ports", "write `expose`; ports are published when the image is run"),
        ("platform", "write `platforms`"),
    ],
    merges: Merges::OverDefaults,
};

/// An entry of `args` in its long form.
pub(in crate::spec) static ARGUMENT: Shape = Shape {
    name: "argument",
    title: "a build argument",
    doc: "A build argument with more than a default",
    keys: &[&[
        key!(
            "default",
            Kind::Any(&[Kind::Null, Kind::Text]),
            "24",
            "Its value unless another is given"
        ),
        key!("values", Kind::Filled(&Kind::Text), "[22, 24]", "The values that are allowed"),
        key!(
            "description",
            Kind::Text,
            "The release of Node",
            "What it is for, shown by `--call=outline`"
        ),
    ]],
    later: &[],
    instead: &[("value", "write `default`"), ("enum", "write `values`")],
    merges: Merges::Never,
};

/// `base` in its long form.
pub(in crate::spec) static PAIR: Shape = Shape {
    name: "pair",
    title: "a base",
    doc: "A development and a runtime image that belong together",
    keys: &[&[
        key!("dev", Kind::Text, "rust:1.98", "The image that the stages run in"),
        key!("runtime", Kind::Text, "static:glibc", "The image that the files are placed on"),
    ]],
    later: &[],
    instead: &[("build", "write `dev`"), ("run", "write `runtime`")],
    merges: Merges::ByKey,
};

/// A stage with options.
pub(in crate::spec) static STAGE: Shape = Shape {
    name: "stage",
    title: "a stage",
    doc: "Steps with options of their own",
    keys: &[&[
        key!(
            "base",
            Kind::Text,
            "golang:1",
            "A pair, an image or another stage; by default the development image of the app"
        ),
        key!(
            "platform",
            Kind::Words(&["build"]),
            "build",
            "`build`: runs on the builder's own platform, to cross-compile"
        ),
        key!("workdir", Kind::Text, "/src", "The working directory; the top level's by default"),
        key!("env", VARIABLES, "{CGO_ENABLED: 0}", "The environment of the stage's runs"),
        key!(
            "cache",
            Kind::OneOrMore(&Kind::Any(&[Kind::Text, Kind::Shape(&CACHE)])),
            "/root/.cache/go-build",
            "Folders that every run of the stage keeps from build to build",
        ),
        key!(required "steps", STEPS, "[{run: go build -o /out/ ./...}]", "The steps, in order"),
    ]],
    later: &[],
    instead: &[
        ("from", "write `base`"),
        ("run", "write it below `steps`: `- run: …`"),
        ("copy", "write it below `steps`: `- copy: …`"),
        ("environment", "write `env`"),
        ("user", "stages run as root; nothing of them ships unless it is copied"),
    ],
    merges: Merges::Never,
};

/// `writable` in its long form.
pub(in crate::spec) static WRITABLE: Shape = Shape {
    name: "writable",
    title: "a writable path",
    doc: "A writable path with permissions of its own",
    keys: &[&[
        key!(required "path", Kind::Text, "/var/lib/app", "The folder, or the placed file"),
        key!("mode", MODE, "0775", "Its permissions; 0755 for a folder that is made"),
        key!(
            "group",
            Kind::Pattern("^[0-9]{1,10}$"),
            "0",
            "Its group, as a number; the runtime user's by default"
        ),
    ]],
    later: &[],
    instead: &[
        ("user", "the owner is the runtime user"),
        ("owner", "the owner is the runtime user"),
        ("gid", "write `group`"),
    ],
    merges: Merges::Never,
};

/// `healthcheck` in its long form.
pub(in crate::spec) static HEALTHCHECK: Shape = Shape {
    name: "healthcheck",
    title: "a health check",
    doc: "A command and its times",
    keys: &[&[
        key!(required "run", Kind::Filled(&Kind::Text), "[node, healthcheck.mjs]", "What is run, as a list"),
        key!("interval", DURATION, "30s", "The time between two checks"),
        key!("timeout", DURATION, "5s", "The time after which a check has failed"),
        key!("start-period", DURATION, "1m", "The time in which failures do not count"),
        key!("start-interval", DURATION, "2s", "The time between two checks in the start period"),
        key!("retries", Kind::Count, "3", "How many failures in a row make the app unwell"),
    ]],
    later: &["http", "https", "port", "headers", "insecure"],
    instead: &[
        ("test", "write `run` with the command as a list"),
        ("cmd", "write `run` with the command as a list"),
        ("command", "write `run` with the command as a list"),
        ("disable", "write `healthcheck: none`"),
    ],
    merges: Merges::ByKey,
};
