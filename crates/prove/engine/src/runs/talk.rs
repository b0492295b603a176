//! One request to a process and its reply, within a time and a length.
//!
//! The process is killed when it exceeds either. What it started itself is not known here and may hold its pipes open, so
//! nothing waits for the end of a pipe: the threads that serve them end by themselves when their pipes do.

use std::io::{Read, Write};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of the longest reply that is read: 16 seals of the longest kind are 16 MB.
const MAX_REPLY: u64 = 1 << 26;
/// Bytes of an error text that are kept, its last ones.
const MAX_REASON: usize = 2_000;
/// How often a process that has closed its output is asked whether it has ended.
const POLL: Duration = Duration::from_millis(10);
/// Time for the last words of a process that has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Stop {
    /// The time was up.
    Time,
    /// The reply is longer than any.
    Length,
    /// The process ended otherwise than by success.
    Status(ExitStatus),
}

/// What a process said.
#[derive(Debug)]
pub(super) struct Said {
    /// Its output.
    pub reply: Result<Vec<u8>, Stop>,
    /// The end of its error text.
    pub reason: String,
}

/// The end of an error text, as far as it has been read.
#[derive(Clone, Default)]
struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(bytes);
        let excess = tail.len().saturating_sub(MAX_REASON);
        tail.drain(..excess);
    }

    fn text(&self) -> String {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail).trim().to_owned()
    }
}

/// Gives a process its input and takes its output. A process that does not read is no error: its exit status says more.
///
/// # Errors
/// Those of the operating system.
pub(super) fn talk(mut child: Child, input: Vec<u8>, limit: Duration) -> std::io::Result<Said> {
    let deadline = Instant::now().checked_add(limit);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let tail = Tail::default();
    let (kept, (end, said)) = (tail.clone(), channel::<()>());
    thread::spawn(move || {
        let mut buffer = [0; 4_096];
        if let Some(mut stderr) = stderr {
            while let Ok(len @ 1..) = stderr.read(&mut buffer) {
                kept.push(&buffer[..len]);
            }
        }
        drop(end);
    });
    let (send, replies) = channel();
    thread::spawn(move || {
        let mut reply = Vec::new();
        let read = stdout.map_or(Ok(0), |stdout| stdout.take(MAX_REPLY + 1).read_to_end(&mut reply));
        // nobody listens any more where the time is up
        let _ = send.send(read.map(|_| reply));
    });
    let answer = wait(&mut child, &replies, deadline);
    if !matches!(&answer, Ok(Ok(_)) | Ok(Err(Stop::Status(_)))) {
        // it may have ended by itself meanwhile: then there is nothing to kill
        let _ = child.kill();
        child.wait()?;
    }
    // ends when the error text does
    let _ = said.recv_timeout(LAST_WORDS);
    Ok(Said { reply: answer?, reason: tail.text() })
}

/// The reply of a process that has ended, or why there is none.
fn wait(
    child: &mut Child,
    replies: &Receiver<std::io::Result<Vec<u8>>>,
    deadline: Option<Instant>,
) -> std::io::Result<Result<Vec<u8>, Stop>> {
    // the other end is gone without a reply only if its thread has panicked
    let Ok(reply) = replies.recv_timeout(left(deadline)) else { return Ok(Err(Stop::Time)) };
    let reply = reply?;
    if reply.len() as u64 > MAX_REPLY {
        return Ok(Err(Stop::Length));
    }
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(Ok(reply)),
            Some(status) => return Ok(Err(Stop::Status(status))),
            None if left(deadline).is_zero() => return Ok(Err(Stop::Time)),
            None => thread::sleep(POLL),
        }
    }
}

/// The time until a moment; one that is too far to be told never comes.
fn left(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
}
