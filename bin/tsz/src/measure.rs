//! Wall time, CPU time and memory of this process.
//!
//! CPU time and peak memory are read from `/proc`; elsewhere than on Linux they are reported as zero.

use std::time::Instant;

use serde::Serialize;

/// Ticks per second of the times in `/proc/self/stat`: `USER_HZ`, 100 on every Linux of today.
const TICKS: f64 = 100.0;

/// Cost of a piece of work.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Cost {
    /// Seconds by the clock.
    pub wall_seconds: f64,
    /// Seconds of all threads, user and system.
    pub cpu_seconds: f64,
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
        Cost {
            wall_seconds: self.start.elapsed().as_secs_f64(),
            cpu_seconds: (cpu_seconds() - self.cpu).max(0.0),
        }
    }
}

/// Runs `work` and measures it.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let watch = Stopwatch::start();
    let value = work();
    (value, watch.cost())
}

/// CPU seconds of this process so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks; user and system time are fields 14 and 15 of the line.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
    ticks as f64 / TICKS
}

/// Largest resident set of this process so far, in bytes.
pub fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// The machine, as benchmarks name it.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Model of the processor.
    pub cpu: String,
    /// Threads that rayon uses.
    pub threads: usize,
    /// Vector instructions the program was compiled for.
    pub simd: &'static str,
}

/// Describes this machine.
pub fn machine() -> Machine {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':'));
    let simd = if cfg!(target_feature = "avx512f") {
        "avx512"
    } else if cfg!(target_feature = "avx2") {
        "avx2"
    } else {
        "none"
    };
    Machine {
        cpu: model.map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned()),
        threads: rayon::current_num_threads(),
        simd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn work_costs_time_and_memory() {
        let (mut sum, start) = (0u64, Instant::now());
        let watch = Stopwatch::start();
        // A busy machine may give this thread little; a tick of 10 ms comes in the end.
        while watch.cost().cpu_seconds == 0.0 && start.elapsed().as_secs() < 60 {
            sum = std::hint::black_box(sum.wrapping_mul(3) + 1);
        }
        let cost = watch.cost();
        assert!(cost.wall_seconds > 0.0 && cost.cpu_seconds > 0.0, "{cost:?}");
        assert!(peak_rss_bytes() > 1 << 20);
    }
}
