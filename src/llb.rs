//! A small typed builder of BuildKit's build graph (LLB).
//!
//! A `Graph` is an arena: each call adds one vertex whose inputs are already in it, so a graph has
//! no cycles, nothing recurses, and the digest of a vertex is known when it is added. Two ops with
//! the same bytes are one vertex. `Graph::marshal` gives what is reachable from one output as the
//! definition that a daemon solves; the bytes, and so the digests, equal those of BuildKit's Go
//! client (`tests/llb_go.rs`). `Graph::to_text` gives the same graph to people.
//!
//! The crate `buildkit-llb` 0.2.0 is not used on purpose: it makes every folder world-writable, its
//! digests change from run to run, and it knows no merge, diff, owners, patterns or platforms.

pub mod caps;
mod digest;
mod encode;
mod exec;
mod file;
mod folders;
mod git;
mod graph;
mod import;
pub(crate) mod lineage;
mod marshal;
mod mount;
mod source;
mod tar;
mod text;

pub use digest::Digest;
pub use exec::{Exec, HostIp, Network, SecretEnv, Security, Ulimit};
pub use file::{Action, Copy, FileOps, MakeDir, MakeFile, MakeLink, Mode, Owner, Place, Remove};
pub use folders::Folder;
pub use git::{Git, is_commit};
pub use graph::{Constraints, Graph, Location, Output};
pub use import::ImportError;
pub use lineage::Lineage;
pub use mount::{Access, Bind, ContentCache, Mount, MountKind, SecretMount, Sharing, SshMount};
pub use source::{Http, Image, Local, OciLayout, ResolveMode, Source};
