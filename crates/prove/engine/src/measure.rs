//! Wall time, CPU time and memory of this process.
//!
//! CPU time and memory are read from `/proc`; elsewhere than on Linux they are reported as zero.

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Ticks per second of the times in `/proc/self/stat`: `USER_HZ`, 100 on every Linux of today.
const TICKS: f64 = 100.0;

/// Cost of a piece of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds by the clock.
    pub wall_seconds: f64,
    /// Seconds of all threads of the process, user and system.
    pub cpu_seconds: f64,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.wall_seconds += other.wall_seconds;
        self.cpu_seconds += other.cpu_seconds;
    }
}

/// A running measurement.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    start: Instant,
    cpu: f64,
}

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self { start: Instant::now(), cpu: cpu_seconds() }
    }

    /// Cost since the start.
    pub fn cost(&self) -> Cost {
        let cpu_seconds = (cpu_seconds() - self.cpu).max(0.0);
        Cost { wall_seconds: self.start.elapsed().as_secs_f64(), cpu_seconds }
    }
}

/// CPU seconds of this process so far.
pub fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks; user and system time are fields 14 and 15 of the line.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
    ticks as f64 / TICKS
}

/// CPU seconds of this thread so far.
fn thread_cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split_whitespace().next().and_then(|x| x.parse::<u64>().ok());
    nanoseconds.unwrap_or(0) as f64 / 1e9
}

/// A share of the cores, with costs of its own.
pub(crate) struct Pool(rayon::ThreadPool);

impl Pool {
    /// So many threads.
    pub(crate) fn new(threads: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        Ok(Self(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?))
    }

    /// Does something on these threads.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> (T, Cost) {
        let (start, before) = (Instant::now(), self.cpu_seconds());
        let value = self.0.install(work);
        let cpu_seconds = (self.cpu_seconds() - before).max(0.0);
        (value, Cost { wall_seconds: start.elapsed().as_secs_f64(), cpu_seconds })
    }

    fn cpu_seconds(&self) -> f64 {
        self.0.broadcast(|_| thread_cpu_seconds()).into_iter().sum()
    }
}

/// Largest resident set of this process so far, in bytes.
pub fn peak_rss_bytes() -> u64 {
    status_bytes("VmHWM:")
}

/// Resident set of this process now, in bytes.
pub fn rss_bytes() -> u64 {
    status_bytes("VmRSS:")
}

fn status_bytes(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}
