//! The load: users that request pages and send events, over the loopback.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Connections at the same time.
const CONNECTIONS: usize = 32;

/// Pages that are requested.
const PAGES: usize = 50;

/// Requests of a user before the next one comes.
const OF_A_USER: usize = 10;

/// What was answered, and how fast.
#[derive(Debug)]
pub(crate) struct Answered {
    requests: usize,
    took: Duration,
}

impl fmt::Display for Answered {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, took } = self;
        write!(to, "{requests} requests in {:.1} s", took.as_secs_f64())
    }
}

/// Makes at least so many requests, and returns how many and how fast.
///
/// # Errors
///
/// If the service answers with an error, or not at all.
pub(crate) async fn run(address: SocketAddr, requests: usize) -> io::Result<Answered> {
    let start = Instant::now();
    let each = requests.div_ceil(CONNECTIONS);
    let clients = (0..CONNECTIONS).map(|number| tokio::spawn(client(address, number * each, each)));
    for client in clients.collect::<Vec<_>>() {
        client.await??;
    }
    let (requests, took) = (each * CONNECTIONS, start.elapsed());
    Ok(Answered { requests, took })
}

/// Makes requests number `first` and the following, over one connection.
async fn client(address: SocketAddr, first: usize, count: usize) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = Vec::new();
    for number in first..first + count {
        stream.write_all(request(number).as_bytes()).await?;
        read_answer(&mut stream, &mut answer).await?;
    }
    Ok(())
}

/// Returns the request of a number: each tenth sends events, the others want a page.
fn request(number: usize) -> String {
    let (user, page) = (number / OF_A_USER, number * 7 % PAGES);
    if number.is_multiple_of(OF_A_USER) {
        let events = format!("login\nuser {}\npage {page}", user % 100);
        let length = events.len();
        return format!(
            "POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{events}"
        );
    }
    format!("GET /pages/{page}?{user} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// Reads one answer into `answer`: its head, and as many bytes as it says.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<()> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if length(answer)?.is_some_and(|length| answer.len() >= length) {
            return Ok(());
        }
    }
}

/// Returns the length of an answer with its head, once the head is there.
fn length(answer: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&answer[..end]);
    if !head.starts_with("HTTP/1.1 2") {
        return Err(io::Error::other(head.into_owned()));
    }
    let field = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = field.and_then(|digits| digits.parse::<usize>().ok());
    Ok(length.map(|length| end + 4 + length))
}
