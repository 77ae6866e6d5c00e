//! A small HTTP service under `mm::Global`, with a load of its own. In the end it prints who holds the memory.
//!
//! ```sh
//! cargo run --release --example service               # 40,000 requests
//! cargo run --release --example service -- 100000
//! ```
//!
//! It has sessions, which expire; a queue of events, which a worker empties; and a cache of pages, which forgets to
//! evict. Nothing in the service but one line, that of the allocator, is there for mm.

mod cache;
mod events;
mod load;
mod report;
mod server;
mod sessions;

use std::env;
use std::error::Error;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Builder;

use server::Service;

#[global_allocator]
static HEAP: mm::Global = mm::Global::new();

/// Requests of a run, unless the command line says how many.
const REQUESTS: usize = 40_000;

fn main() -> Result<(), Box<dyn Error>> {
    let requests = env::args()
        .nth(1)
        .map_or(Ok(REQUESTS), |text| text.parse())?;
    // Two workers: one serves while the other makes the load.
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_io()
        .build()?;
    runtime.block_on(run(requests))
}

/// Serves a number of requests on a port of the loopback, and prints who holds memory then.
async fn run(requests: usize) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let service = Arc::new(Service::new());
    let server = tokio::spawn(server::serve(listener, service.clone()));
    let answered = load::run(address, requests).await?;
    println!("{answered}");
    println!("{service}\n");
    // The service still holds what it did while it served.
    report::print();
    server.abort();
    Ok(())
}
