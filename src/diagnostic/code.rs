//! The stable codes of everything that hardpan can complain about, apart from the checks of an
//! image (those are in `harden`). Each code has a page `docs/errors/CODE.md`; a test keeps the two
//! together. A code is never given a second meaning; one that is no longer used stays reserved.

/// Declares the codes once: name in the program, id for people, title of its page.
macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal;)*) => {
        /// A stable code. `Display` gives the id, such as `SPEC-03`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $name,)*
            /// A finding in an image, by the id of its check, such as `SHL-03`: it has a page in
            /// docs/checks.
            Check(&'static str),
        }

        impl Code {
            /// All codes, in the order of their ids; checks have a table of their own (`harden`).
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The id that people read and search for.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* Self::Check(id) => id }
            }

            /// One line that says what the code is about.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                    Self::Check(_) => "a finding in the image",
                }
            }
        }
    };
}

codes! {
    // What the file is, and what only a Dockerfile can be told.
    UnclearInput = "FILE-01", "a file that is neither a spec nor a Dockerfile";
    LostGroups = "FILE-02", "a user that has further groups by name, and none as a number";

    // The file as YAML.
    NotYaml = "YAML-01", "the file is not YAML";
    NotPlainYaml = "YAML-02", "aliases, anchors, merge keys and tags are not part of the language";
    DuplicateKey = "YAML-03", "a key stands twice in one map";
    TooLarge = "YAML-04", "the file is too large, too deep or has too many values";
    Quoting = "YAML-05", "a value needs quotes";
    Empty = "YAML-06", "the file holds no spec";

    // The spec as a language.
    UnknownKey = "SPEC-01", "an unknown key";
    WrongType = "SPEC-02", "a value of the wrong kind";
    MissingKey = "SPEC-03", "a key that must be there is missing";
    InvalidValue = "SPEC-04", "a value that its key does not take";
    ConflictingKeys = "SPEC-05", "keys that exclude each other";
    NotYet = "SPEC-06", "a part of the language that this release does not have yet";
    UnknownStage = "SPEC-07", "a stage, app or context that does not exist";
    StageCycle = "SPEC-08", "stages that wait for each other";
    AmbiguousName = "SPEC-09", "a name that means two things";
    ShellForm = "SPEC-10", "a command given as text where a list is needed";
    RootUser = "SPEC-11", "root as the user of an image";
    MissingChecksum = "SPEC-12", "something fetched without a checksum";
    RunInImage = "SPEC-13", "a run step in an image";
    UnknownArgument = "SPEC-14", "a build argument that is not declared";
    UnsetArgument = "SPEC-15", "a build argument without a value";
    ArgumentValue = "SPEC-16", "a build argument with a value that is not allowed";
    InvalidPath = "SPEC-17", "a path that cannot be meant";
    UnknownTarget = "SPEC-18", "a target that does not exist";
    UnusedStage = "SPEC-19", "a stage that no image needs";
    StageTarget = "SPEC-20", "a stage handed out, which is no product";

    // Options of the build, the context, the builder.
    InvalidOption = "OPT-01", "an option of the build with an impossible value";
    UnsupportedOption = "OPT-02", "an option of the build that this release does not have yet";
    MissingSecret = "OPT-03", "a secret that the build was not given";
    NotFoundInContext = "CTX-01", "a file that is not in the build context";
    SpecNotFound = "CTX-02", "the spec is not in the build context";
    NotFoundInStage = "CTX-03", "a file that a stage or image does not have";
    NoMatch = "CTX-04", "a pattern that matches nothing";
    NamedContext = "CTX-05", "a named context that cannot be used";
    ContextNotFetched = "CTX-06", "a build context that cannot be fetched";
    OldBuilder = "BLD-01", "a BuildKit that is too old";
    StepFailed = "BLD-02", "a step of the build failed";
    Internal = "BLD-03", "a fault in hardpan or in the builder";
    ForeignProgram = "BLD-04", "a step for a platform that the builder cannot run";

    // Bases.
    InvalidReference = "REF-01", "a name that is no image reference";
    UnknownBase = "REF-02", "an image that does not exist";
    LoginNeeded = "REF-03", "a registry that wants a login";
    DevAsRuntime = "REF-04", "a development image as runtime";
    BaseDeclaresShell = "REF-05", "a runtime base that declares a shell or a package manager";
    BaseRunsAsRoot = "REF-06", "a runtime base that runs as root";
    EndOfLife = "REF-07", "a base past its end of life";
    PairMismatch = "REF-08", "a development and a runtime image that do not belong together";
    NoSuchPlatform = "REF-09", "an image without the platform of the build";
    UnknownUser = "REF-10", "a user or group that the runtime base does not have";
    NoPair = "REF-11", "a base without a development or a runtime image";
    NotAnImage = "REF-12", "a base that is no image";

    // What is accepted all the same, and what whoever builds asks for.
    UnknownCheck = "WAIVE-01", "a check that does not exist";
    UnusedWaiver = "WAIVE-02", "a waiver that covers nothing";
    ExpiredWaiver = "WAIVE-03", "a waiver whose last day is over";
    NotDangerously = "WAIVE-04", "a waiver of something dangerous that does not say so";
    ForbiddenWaiver = "WAIVE-05", "a waiver that does not count in this build";
    LongWaiver = "WAIVE-06", "a waiver for more than a year";

    // Placement on the runtime base.
    FileOverFolder = "PLACE-01", "a file placed over a folder, or a folder over a file";
    StickyParent = "PLACE-02", "a file placed in a folder that everybody may write";
    ForbiddenWritable = "PLACE-03", "a writable path in a folder of the system";
    ReservedPlace = "PLACE-04", "a path that is hardpan's own while an image is tested";

    // Tests of the finished image.
    TestFailed = "TEST-01", "a test that does not hold in the finished image";
    TestNotRun = "TEST-02", "a test that cannot be run";
    DoesNotStop = "TEST-03", "an app that does not stop when it is told to";
    TestRequired = "TEST-04", "an image that was not tested where whoever builds requires it";
}

/// Where the pages of codes and checks can be read.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs");

impl Code {
    /// The page about it.
    #[must_use]
    pub fn url(self) -> String {
        let folder = if matches!(self, Self::Check(_)) { "checks" } else { "errors" };
        format!("{PAGES}/{folder}/{self}.md")
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}
