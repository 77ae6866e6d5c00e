//! Hunts a leak in a service that finds words in the files of a directory. Its cache of answers does not
//! evict. The watcher names the type that leaks, and the call site that allocates it.
//!
//! ```sh
//! cargo run --release --example leak_hunt                 # the files of `mm/src`
//! cargo run --release --example leak_hunt -- some/folder
//! cargo run --release --example leak_hunt -- mm/src mended # the watcher stays silent
//! ```

mod cache;
mod index;

use std::env;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::Duration;

use cache::{Cache, Eviction};
use index::Index;

/// The time between two requests.
const PACE: Duration = Duration::from_millis(2);

/// The watcher's interval: ten times shorter than in a service, so that the example is short.
const INTERVAL: Duration = Duration::from_millis(100);

/// The number of requests, after which the watcher has named the leak.
const REQUESTS: u32 = 5_000;

fn main() {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "mm/src".to_owned());
    let eviction = match arguments.next().as_deref() {
        Some("mended") => Eviction::Oldest,
        Some(other) => panic!("`{other}` is unknown; known is `mended`"),
        None => Eviction::Forgotten,
    };
    let index = Index::of(Path::new(&folder)).expect("the folder can be read");
    println!("{index}");

    let (named, names) = mpsc::channel();
    let watch = mm::watch()
        .every(INTERVAL)
        .on_growth(move |growth| drop(named.send(growth.to_string())))
        .start()
        .expect("the system has a thread for it");
    let mut cache = Cache::new(eviction);
    for number in 0..REQUESTS {
        serve(&index, &mut cache, number);
        match names.try_recv() {
            Ok(name) => return println!("after {number} requests: {name}"),
            Err(TryRecvError::Empty) => thread::sleep(PACE),
            Err(TryRecvError::Disconnected) => panic!("the watcher ended"),
        }
    }
    drop(watch);
    match names.recv_timeout(Duration::ZERO) {
        Ok(name) => println!("in the end: {name}"),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            println!("after {REQUESTS} requests: no type grows");
        }
    }
}

/// Answers one request: the number of lines that have both words.
fn serve(index: &Index, cache: &mut Cache, number: u32) {
    // Like real users: every second question is new, and the others repeat.
    let seed = if number.is_multiple_of(2) {
        number
    } else {
        number % 20
    };
    let words = index.two_words(seed);
    let lines = cache.answer(words, || index.lines_with(words));
    assert!(lines <= index.lines());
}
