//! When the files of a source were last changed: the time of a commit, of a file on the web, or of
//! the newest file in an archive. For `SOURCE_DATE_EPOCH`, as docker/dockerfile v1.28 has it
//! (frontend/dockerfile/dockerfile2llb/epoch.go).

use prost::Message as _;

use super::locate::{FILE, STDIN, alone, unpacked};
use super::{LoadError, MAX_FILE};
use crate::archive;
use crate::emit::{self, ProbeSettings};
use crate::gateway::{Gateway, Meaning, Solve, Solved};
use crate::inspect::newest::{self, Newest};
use crate::llb::Http;
use crate::llb::Source;
use crate::proto::pb;
use crate::remote;

/// The only source of a graph; a graph with several has no time.
#[must_use]
pub fn only_source(definition: &pb::Definition) -> Option<pb::SourceOp> {
    let ops = definition.def.iter().filter_map(|bytes| pb::Op::decode(bytes.as_slice()).ok());
    let mut sources = ops.filter_map(|op| match op.op {
        Some(pb::op::Op::Source(source)) => Some(source),
        _ => None,
    });
    sources.next().filter(|_| sources.next().is_none())
}

/// The time of a source in seconds since 1970, if it has one.
pub async fn time_of(
    gateway: &Gateway,
    source: &pb::SourceOp,
    probes: &ProbeSettings,
) -> Result<Option<i64>, LoadError> {
    let is_file =
        ["http://", "https://"].iter().any(|scheme| source.identifier.starts_with(scheme));
    if !is_file && !source.identifier.starts_with("git://") {
        return Ok(None);
    }
    // A client hands out its standard input once, and says nothing of its time.
    if !source.identifier.starts_with(STDIN) {
        let name = format!("[internal] look up the time of {}", remote::shown(&source.identifier));
        let found = gateway.resolve_source(source.clone(), name, true).await?;
        if let Meaning::Commit { object, .. } = &found.meaning {
            return Ok(commit_time(object));
        }
        if found.modified.is_some() {
            return Ok(found.modified);
        }
    }
    if is_file { newest_in_archive(gateway, &source.identifier, probes).await } else { Ok(None) }
}

/// `committer NAME <MAIL> SECONDS ZONE` in the bytes of a commit.
fn commit_time(object: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(object);
    let head = text.split("\n\n").next()?;
    let line = head.lines().find_map(|line| line.strip_prefix("committer "))?;
    line.rsplit_once("> ")?.1.split(' ').next()?.parse().ok()
}

/// The time of the newest regular file in an archive; another file has none.
async fn newest_in_archive(
    gateway: &Gateway,
    url: &str,
    probes: &ProbeSettings,
) -> Result<Option<i64>, LoadError> {
    let source = Http { url: url.to_owned(), filename: Some(FILE.to_owned()), ..Http::default() };
    let file = alone(&Source::Http(source), "[internal] load remote build context".to_owned());
    let found = gateway.solve(Solve::of(file.clone())).await.and_then(Solved::single)?;
    let head = gateway.read_head(&found, FILE, archive::HEAD).await?;
    if !archive::is_archive(&head) {
        return Ok(None);
    }
    let look = emit::newest(probes, &unpacked(&file)?)?;
    let found = gateway.solve(Solve::of(look)).await.and_then(Solved::single)?;
    let json = gateway.read_file(&found, newest::FILE, MAX_FILE).await?;
    Ok(Newest::from_json(&json).and_then(|newest| newest.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llb::{Copy, FileOps, Graph, Output};

    #[test]
    fn reads_the_time_of_a_commit() {
        let object = b"tree 1\nparent 2\nauthor A <a@x> 100 +0000\ncommitter B <b@x> 200 -0700\n\n\
                       committer C <c@x> 300 +0000\n";
        assert_eq!(commit_time(object), Some(200));
        for broken in [&b""[..], b"tree 1\n\ncommitter B <b@x> 200 +0000\n", b"committer x\n\n"] {
            assert_eq!(commit_time(broken), None);
        }
    }

    #[test]
    fn a_graph_with_several_sources_has_none_that_counts() {
        let mut graph = Graph::new();
        let source = |url: &str| Source::Http(Http { url: url.to_owned(), ..Http::default() });
        let one = graph.source(&source("http://a/x"), &crate::llb::Constraints::default());
        let definition = graph.marshal(one, &[]);
        let found = only_source(&definition).map(|source| source.identifier);
        assert_eq!(found.as_deref(), Some("http://a/x"));
        let two = graph.source(&source("http://a/y"), &crate::llb::Constraints::default());
        let mut ops = FileOps::on(Output::SCRATCH);
        ops.copy(one, Copy::default()).copy(two, Copy::default());
        let both = graph.file(&ops, &crate::llb::Constraints::default());
        assert_eq!(only_source(&graph.marshal(both, &[])), None);
    }
}
