//! Blocks that one thread allocates and another one releases. The figures are exact at the end.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
struct Message {
    sender: u64,
    number: u64,
}

const SENDERS: u64 = 4;
const EACH: u64 = 100_000;
/// The receiver keeps one in this many messages.
const KEPT_OF: u64 = 1_000;

fn send(sender: u64, to: &Sender<MmBox<Message>>) {
    for number in 0..EACH {
        let message = MmBox::new(Message { sender, number });
        to.send(message).expect("the receiver is there to the end");
    }
}

fn receive(from: Receiver<MmBox<Message>>) -> Vec<MmBox<Message>> {
    let all = from.into_iter();
    all.filter(|message| message.number % KEPT_OF == 0)
        .collect()
}

fn main() {
    let (to, from) = channel();
    let kept = thread::scope(|scope| {
        let receiver = scope.spawn(|| receive(from));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let to = to.clone();
                scope.spawn(move || send(sender, &to))
            })
            .collect();
        drop(to);
        // The scope may end before the threads' locals are dropped; `join` waits for that.
        for sender in senders {
            sender.join().expect("a sender does not panic");
        }
        receiver.join().expect("the receiver does not panic")
    });

    let snapshot = mm::snapshot();
    let messages = snapshot.family("Message").expect("the derive listed it");
    println!("allocated {:>7}", messages.blocks_allocated);
    println!("released  {:>7}", messages.blocks_released);
    println!("live      {:>7}", messages.live_blocks);
    assert_eq!(messages.blocks_allocated, SENDERS * EACH);
    assert_eq!(messages.live_blocks, kept.len() as u64);

    let of_the_last = kept.iter().filter(|message| message.sender == SENDERS - 1);
    println!("of the last sender {}", of_the_last.count());
}
