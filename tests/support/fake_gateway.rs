//! A builder in this process: BuildKit's side of the gateway over real HTTP/2 frames, with answers
//! that a test writes down. It records every call, so that a test can say what was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hardpan::gateway::Gateway;
use hardpan::proto::frontend::llb_bridge_server::{LlbBridge, LlbBridgeServer};
use hardpan::proto::frontend::{
    self, EvaluateRequest, EvaluateResponse, FileRange, InputsRequest, InputsResponse, PingRequest,
    PongResponse, ReadDirRequest, ReadDirResponse, ReadFileRequest, ReadFileResponse, Ref,
    ResolveImageConfigRequest, ResolveImageConfigResponse, ResolveSourceImageResponse,
    ResolveSourceMetaRequest, ResolveSourceMetaResponse, ReturnRequest, ReturnResponse,
    SolveRequest, SolveResponse, StatFileRequest, StatFileResponse, WarnRequest, WarnResponse,
    result,
};
use hardpan::proto::moby::buildkit::v1::apicaps::ApiCap;
use hardpan::proto::{fsutil::types::Stat, pb, types::WorkerRecord};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tonic::{Code, Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

/// What the builder answers to a solve.
pub type Solver = Box<dyn Fn(&SolveRequest) -> Result<SolveResponse, Status> + Send + Sync>;

/// What the builder finds for a read.
pub type Reader = Box<dyn Fn(&ReadFileRequest) -> Option<Vec<u8>> + Send + Sync>;

/// What the builder knows.
pub struct Script {
    /// The answer to Ping.
    pub pong: PongResponse,
    /// Named inputs.
    pub inputs: BTreeMap<String, pb::Definition>,
    /// By identifier: what resolving gives. The source comes back as it was asked for, unless the
    /// answer has one.
    pub images: BTreeMap<String, Result<ResolveSourceMetaResponse, Status>>,
    /// Solves; the default gives ref "ref-N" to the Nth.
    pub solve: Option<Solver>,
    /// Files by ref and path.
    pub files: BTreeMap<(String, String), Vec<u8>>,
    /// Entries by ref and path.
    pub stats: BTreeMap<(String, String), Stat>,
    /// Files that are not written down: whatever this gives for a read.
    pub read: Option<Reader>,
    /// The answer to Return.
    pub on_return: Option<Status>,
    /// At the Nth call, from 1, the builder is gone: no answer, and the connection closed.
    pub gone_at: Option<usize>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            pong: modern_pong(),
            inputs: BTreeMap::new(),
            images: BTreeMap::new(),
            solve: None,
            files: BTreeMap::new(),
            stats: BTreeMap::new(),
            read: None,
            on_return: None,
            gone_at: None,
        }
    }
}

/// One call, as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    Ping,
    Inputs,
    ResolveImageConfig(ResolveImageConfigRequest),
    ResolveSourceMeta(ResolveSourceMetaRequest),
    Solve(SolveRequest),
    ReadFile(ReadFileRequest),
    ReadDir(ReadDirRequest),
    StatFile(StatFileRequest),
    Evaluate(EvaluateRequest),
    Warn(WarnRequest),
    Return(ReturnRequest),
}

/// The calls so far.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    pub fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap().clone()
    }

    pub fn returned(&self) -> Vec<ReturnRequest> {
        let calls = self.all().into_iter();
        calls.filter_map(|call| if let Call::Return(it) = call { Some(it) } else { None }).collect()
    }

    pub fn solved(&self) -> Vec<SolveRequest> {
        let calls = self.all().into_iter();
        calls.filter_map(|call| if let Call::Solve(it) = call { Some(it) } else { None }).collect()
    }

    fn push(&self, call: Call) -> usize {
        let mut calls = self.0.lock().unwrap();
        calls.push(call);
        calls.len()
    }
}

/// A pong as BuildKit 0.34 sends it, as far as hardpan looks at it.
pub fn modern_pong() -> PongResponse {
    let caps = |names: &[&str]| {
        let cap = |&id: &&str| ApiCap { id: id.to_owned(), enabled: true, ..ApiCap::default() };
        names.iter().map(cap).collect()
    };
    let platform = pb::Platform {
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        ..pb::Platform::default()
    };
    PongResponse {
        frontend_api_caps: caps(&[
            "solve.base",
            "readfile",
            "readdir",
            "statfile",
            "return",
            "returnmap",
            "proto.refarray",
            "importcaches",
            "reference.output",
            "frontend.inputs",
            "gateway.solve.evaluate",
            "gateway.evaluate",
            "gateway.warnings",
            "reference.attestations",
            "source.metaresolver",
        ]),
        llb_caps: caps(&[
            "source.image",
            "source.local",
            "exec.meta.base",
            "file.base",
            "exec.validexitcode",
            "file.symlink.create",
            "mergeop",
            "diffop",
            "passthroughop",
            "exec.mount.cache.content",
        ]),
        workers: vec![WorkerRecord {
            id: "worker-1".to_owned(),
            platforms: vec![platform],
            ..WorkerRecord::default()
        }],
    }
}

/// The answer of a registry that has an image.
pub fn image(digest: &str, config: &str) -> ResolveSourceMetaResponse {
    let image = ResolveSourceImageResponse {
        digest: digest.to_owned(),
        config: config.as_bytes().to_vec(),
        ..ResolveSourceImageResponse::default()
    };
    ResolveSourceMetaResponse { image: Some(image), ..ResolveSourceMetaResponse::default() }
}

/// A result with one ref.
pub fn one_ref(id: &str) -> SolveResponse {
    let only = Ref { id: id.to_owned(), def: None };
    let result =
        frontend::Result { result: Some(result::Result::Ref(only)), ..frontend::Result::default() };
    SolveResponse { result: Some(result) }
}

/// A failure as BuildKit sends it, with details.
pub fn failure(status: &hardpan::proto::Status) -> Status {
    let details = status.encode_to_vec().into();
    Status::with_details(Code::from(status.code), status.message.clone(), details)
}

/// Starts a builder and connects to it.
pub async fn start(script: Script) -> (Gateway, Calls) {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let calls = serve(script, theirs);
    let gateway = Gateway::over(ours).await.expect("the fake builder answers");
    (gateway, calls)
}

/// Starts a builder at one end of a stream.
pub fn serve<S>(script: Script, stream: S) -> Calls
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let calls = Calls::default();
    let gone = Arc::new(Notify::new());
    let fake = Fake { script: Arc::new(script), calls: calls.clone(), gone: Arc::clone(&gone) };
    // Larger than hardpan takes, so that tests can send too much.
    let service = LlbBridgeServer::new(fake)
        .max_decoding_message_size(64 << 20)
        .max_encoding_message_size(64 << 20);
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::spawn(async move {
        tokio::select! {
            _ = connection => {}
            () = gone.notified() => {}
        }
    });
    calls
}

#[derive(Clone)]
struct Fake {
    script: Arc<Script>,
    calls: Calls,
    gone: Arc<Notify>,
}

impl Fake {
    /// Writes a call down; none comes back from the one at which the builder is gone.
    async fn arrives(&self, call: Call) {
        if Some(self.calls.push(call)) == self.script.gone_at {
            self.gone.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn missing(path: &str) -> Status {
        Status::unknown(format!("lstat {path}: no such file or directory"))
    }
}

#[tonic::async_trait]
impl LlbBridge for Fake {
    async fn ping(&self, _: Request<PingRequest>) -> Answer<PongResponse> {
        self.arrives(Call::Ping).await;
        Ok(Response::new(self.script.pong.clone()))
    }

    async fn inputs(&self, _: Request<InputsRequest>) -> Answer<InputsResponse> {
        self.arrives(Call::Inputs).await;
        Ok(Response::new(InputsResponse { definitions: self.script.inputs.clone() }))
    }

    async fn resolve_image_config(
        &self,
        request: Request<ResolveImageConfigRequest>,
    ) -> Answer<ResolveImageConfigResponse> {
        let request = request.into_inner();
        let found = self.script.images.get(&request.r#ref).cloned();
        self.arrives(Call::ResolveImageConfig(request.clone())).await;
        let answer = found.unwrap_or_else(|| Err(not_found(&request.r#ref)))?;
        let image = answer.image.unwrap_or_default();
        let r#ref = answer.source.map(|source| source.identifier).unwrap_or_default();
        Ok(Response::new(ResolveImageConfigResponse {
            digest: image.digest,
            config: image.config,
            r#ref,
        }))
    }

    async fn resolve_source_meta(
        &self,
        request: Request<ResolveSourceMetaRequest>,
    ) -> Answer<ResolveSourceMetaResponse> {
        let request = request.into_inner();
        self.arrives(Call::ResolveSourceMeta(request.clone())).await;
        let source = request.source.unwrap_or_default();
        let found = self.script.images.get(&source.identifier).cloned();
        let mut answer = found.unwrap_or_else(|| Err(not_found(&source.identifier)))?;
        answer.source = answer.source.or(Some(source));
        Ok(Response::new(answer))
    }

    async fn solve(&self, request: Request<SolveRequest>) -> Answer<SolveResponse> {
        let request = request.into_inner();
        self.arrives(Call::Solve(request.clone())).await;
        let answer = match &self.script.solve {
            Some(solve) => solve(&request)?,
            None => one_ref(&format!("ref-{}", self.calls.solved().len())),
        };
        Ok(Response::new(answer))
    }

    async fn read_file(&self, request: Request<ReadFileRequest>) -> Answer<ReadFileResponse> {
        let request = request.into_inner();
        self.arrives(Call::ReadFile(request.clone())).await;
        let found = self.script.read.as_ref().and_then(|read| read(&request));
        let key = (request.r#ref, request.file_path);
        let found = found.or_else(|| self.script.files.get(&key).cloned());
        let data = found.ok_or_else(|| Self::missing(&key.1))?;
        let range = request.range.unwrap_or(FileRange { offset: 0, length: i64::MAX });
        let start = usize::try_from(range.offset).unwrap().min(data.len());
        let length = usize::try_from(range.length).unwrap().min(data.len() - start);
        Ok(Response::new(ReadFileResponse { data: data[start..start + length].to_vec() }))
    }

    async fn read_dir(&self, request: Request<ReadDirRequest>) -> Answer<ReadDirResponse> {
        let request = request.into_inner();
        self.arrives(Call::ReadDir(request.clone())).await;
        let within = |(of, path): &&(String, String)| {
            *of == request.r#ref && path.starts_with(&request.dir_path)
        };
        let paths = self.script.stats.keys().filter(within);
        let entries = paths.map(|key| self.script.stats[key].clone()).collect();
        Ok(Response::new(ReadDirResponse { entries }))
    }

    async fn stat_file(&self, request: Request<StatFileRequest>) -> Answer<StatFileResponse> {
        let request = request.into_inner();
        self.arrives(Call::StatFile(request.clone())).await;
        let key = (request.r#ref, request.path);
        let stat = self.script.stats.get(&key).ok_or_else(|| Self::missing(&key.1))?;
        Ok(Response::new(StatFileResponse { stat: Some(stat.clone()) }))
    }

    async fn evaluate(&self, request: Request<EvaluateRequest>) -> Answer<EvaluateResponse> {
        self.arrives(Call::Evaluate(request.into_inner())).await;
        Ok(Response::new(EvaluateResponse {}))
    }

    async fn warn(&self, request: Request<WarnRequest>) -> Answer<WarnResponse> {
        self.arrives(Call::Warn(request.into_inner())).await;
        Ok(Response::new(WarnResponse {}))
    }

    async fn r#return(&self, request: Request<ReturnRequest>) -> Answer<ReturnResponse> {
        self.arrives(Call::Return(request.into_inner())).await;
        match self.script.on_return.clone() {
            Some(status) => Err(status),
            None => Ok(Response::new(ReturnResponse {})),
        }
    }
}

fn not_found(identifier: &str) -> Status {
    Status::unknown(format!("failed to resolve source metadata for {identifier}: not found"))
}
