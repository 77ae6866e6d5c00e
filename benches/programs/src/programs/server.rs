//! An HTTP server with sessions, and the process that is its load.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;
use std::thread;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use super::load;
use crate::process;

/// What clients said, by the name of their session.
type Sessions = Rc<RefCell<HashMap<String, Vec<Value>>>>;

/// Messages that a session keeps.
const KEPT: usize = 8;

/// Serves on one core what the load on the other one requests, and prints both sides' figures.
pub(super) fn run(_: &Path) {
    let (send, port) = std::sync::mpsc::channel();
    // The load uses the same allocator, but has memory that is written once, before the start.
    let load = thread::spawn(move || {
        process::pin(1);
        load::run(port.recv().expect("the server listens"))
    });
    process::pin(0);
    let runtime = Builder::new_current_thread().enable_all().build();
    let served = LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("it has one").port();
        send.send(port).expect("the load waits");
        serve(listener).await
    });
    let latencies = load.join().expect("the load succeeds");
    latencies.print();
    process::print_usage(served);
}

/// Serves as many connections as the load opens; returns the number of sessions.
async fn serve(listener: TcpListener) -> u64 {
    let sessions = Sessions::default();
    let mut connections = Vec::new();
    for _ in 0..load::CONNECTIONS {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("TCP has it");
        let sessions = sessions.clone();
        connections.push(tokio::task::spawn_local(async move {
            let service = service_fn(move |request| answer(request, sessions.clone()));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            connection.await.expect("the load speaks HTTP");
        }));
    }
    for connection in connections {
        connection.await.expect("no task panics");
    }
    sessions.borrow().len() as u64
}

/// Reads a message, keeps it in its session, and answers with what the session said last.
async fn answer(
    request: Request<Incoming>,
    sessions: Sessions,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let name = request.uri().path().to_owned();
    let body = request
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let message: Value = serde_json::from_slice(&body).expect("the load sends JSON");
    let mut sessions = sessions.borrow_mut();
    let session = sessions.entry(name.clone()).or_default();
    if session.len() == KEPT {
        session.remove(0);
    }
    session.push(message);
    let text = json!({ "session": name, "messages": session }).to_string();
    Ok(Response::new(Full::new(text.into())))
}
