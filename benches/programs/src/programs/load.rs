//! The load of the server: clients of plain TCP, which allocate nothing while they measure.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::process;

/// Connections, each of which has one request under way.
pub(super) const CONNECTIONS: usize = 64;

/// Requests of all connections.
const REQUESTS: usize = 200_000;

/// Sessions that the requests name.
const SESSIONS: usize = 10_000;

/// How long the requests took.
pub(super) struct Latencies {
    wall: Duration,
    each: Vec<Duration>,
}

impl Latencies {
    /// Prints the time of a request on average, and the time that all but one in a thousand stay below.
    pub(super) fn print(mut self) {
        let (wall, count) = (self.wall.as_secs_f64(), self.each.len());
        self.each.sort();
        process::print(
            "us a request",
            wall * 1e6 / f64::from(u32::try_from(count).expect("few")),
        );
        let late = self.each[count - 1 - count / 1_000];
        process::print("p99.9 us", late.as_secs_f64() * 1e6);
    }
}

/// Requests in rounds: each connection sends, then each reads its answer.
pub(super) fn run(port: u16) -> Latencies {
    let mut streams: Vec<TcpStream> = (0..CONNECTIONS).map(|_| connect(port)).collect();
    let requests: Vec<Vec<u8>> = (0..SESSIONS).map(request).collect();
    let mut each = Vec::with_capacity(REQUESTS);
    let mut sent = [Instant::now(); CONNECTIONS];
    let mut answer = [0; 16 << 10];
    let start = Instant::now();
    for round in 0..REQUESTS / CONNECTIONS {
        for (number, stream) in streams.iter_mut().enumerate() {
            // A prime, so that the sessions come in no order.
            let session = (round * CONNECTIONS + number) * 7_919 % SESSIONS;
            sent[number] = Instant::now();
            stream
                .write_all(&requests[session])
                .expect("the server reads");
        }
        for (stream, sent) in streams.iter_mut().zip(sent) {
            read_answer(stream, &mut answer).expect("the server answers");
            each.push(sent.elapsed());
        }
    }
    let wall = start.elapsed();
    Latencies { wall, each }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server accepts");
    stream.set_nodelay(true).expect("TCP has it");
    stream
}

/// Returns a request with a message of 50 to 500 bytes.
fn request(session: usize) -> Vec<u8> {
    let text = "word ".repeat(10 + session % 90);
    let body = format!(r#"{{"from":"user {session}","text":"{text}","tags":["a","b",{session}]}}"#);
    let length = body.len();
    format!(
        "POST /session/{session} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Reads one answer: its head up to the empty line, and as many bytes as its length says.
fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += count;
        if length(&buffer[..filled]).is_some_and(|length| filled >= length) {
            return Ok(());
        }
    }
}

/// Returns the length of an answer with its head, once the head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).ok()?;
    let field = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    Some(head + field.parse::<usize>().ok()?)
}
