//! The service: what it answers to a request.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::cache::{Cache, render};
use crate::events::Events;
use crate::sessions::Sessions;

/// What the service holds between requests.
#[derive(Debug)]
pub(crate) struct Service {
    sessions: Sessions,
    cache: Cache,
    events: Events,
}

type Answer = Response<Full<Bytes>>;

impl Service {
    /// Starts the service, on the runtime that this is called in.
    pub(crate) fn new() -> Self {
        Self {
            sessions: Sessions::default(),
            cache: Cache::default(),
            events: Events::new(),
        }
    }

    /// Answers `GET /pages/..?USER` and `POST /events`.
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (head, body) = request.into_parts();
        let known = head.uri.path_and_query().map_or("", |path| path.as_str());
        if head.method == Method::POST && known == "/events" {
            return Ok(self.queue(body).await);
        }
        let user = head.uri.query();
        match user.filter(|_| head.method == Method::GET && known.starts_with("/pages/")) {
            Some(user) => Ok(self.page(known, head.uri.path(), user)),
            None => Ok(status(StatusCode::NOT_FOUND)),
        }
    }

    fn page(&self, request: &str, path: &str, user: &str) -> Answer {
        let session = self.sessions.of(user);
        session.remember(request);
        Response::new(Full::new(self.cache.page(request, || render(path))))
    }

    async fn queue(&self, body: Incoming) -> Answer {
        match body.collect().await {
            Ok(body) => {
                self.events.queue(body.to_bytes()).await;
                status(StatusCode::ACCEPTED)
            }
            Err(_) => status(StatusCode::BAD_REQUEST),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sessions, pages) = (self.sessions.len(), self.cache.len());
        let events = self.events.len();
        write!(
            to,
            "{sessions} sessions, {pages} pages in the cache, {events} different events"
        )
    }
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// Serves all connections of the listener.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, service.clone()))),
            Err(error) => eprintln!("service: {error}"),
        }
    }
}

async fn connection(stream: TcpStream, service: Arc<Service>) {
    let answer = service_fn(|request| {
        let service = service.clone();
        async move { service.answer(request).await }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = connection.await {
        eprintln!("service: {error}");
    }
}
