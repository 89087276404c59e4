//! The wire: HTTP/2 over two pipes, or over anything else in tests.
//!
//! stdout is the wire, so once it is taken nothing else may write to it: descriptor 1 is pointed
//! at stderr. There is one connection in the life of a frontend; what tonic calls reconnecting
//! fails at once.

use std::io;
use std::os::fd::AsFd;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::net::unix::pipe;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use super::Error;
use crate::proto::frontend::llb_bridge_client::LlbBridgeClient;

/// Both directions; the builder's own limits.
pub(super) const MESSAGE_LIMIT: usize = 16 << 20;

/// Failures travel in trailers together with their details, which hold whole files: hyper's 16 KiB
/// would make the builder replace the failure by a complaint about its size.
const HEADER_LIMIT: u32 = 16 << 20;

pub(super) type Client = LlbBridgeClient<Channel>;

/// stdin and stdout as one stream, and a future that ends when nobody reads stdout any more: the
/// stream itself would only notice with its next write. Both must be pipes, as a builder makes them.
pub(super) fn take_stdio()
-> io::Result<(impl AsyncRead + AsyncWrite + Send + Unpin + 'static, impl Future<Output = ()>)> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    let watched = pipe::Sender::from_owned_fd(output.try_clone()?)?;
    let input = pipe::Receiver::from_owned_fd(input)?;
    let output = pipe::Sender::from_owned_fd(output)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    let hung_up = async move {
        let state = watched.ready(Interest::ERROR).await;
        if !state.is_ok_and(|state| state.is_error() || state.is_write_closed()) {
            std::future::pending::<()>().await;
        }
    };
    Ok((tokio::io::join(input, output), hung_up))
}

/// Starts HTTP/2 on a stream; the first call shows whether somebody answers.
pub(super) async fn connect<S>(stream: S) -> Result<Client, Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut stream = Some(stream);
    let connector = service_fn(move |_: Uri| {
        let stream = stream.take().map(TokioIo::new);
        async move { stream.ok_or_else(|| io::Error::other("the builder closed the connection")) }
    });
    let channel = Endpoint::from_static("http://localhost")
        .http2_max_header_list_size(HEADER_LIMIT)
        .connect_with_connector(connector)
        .await
        .map_err(|error| Error::Lost { call: "the handshake", reason: error.to_string() })?;
    Ok(LlbBridgeClient::new(channel).max_decoding_message_size(MESSAGE_LIMIT))
}
