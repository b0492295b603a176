//! The machine, and a helper over the engine's measurements.

use serde::Serialize;
use tsz_engine::measure::{Cost, Stopwatch};

/// Runs `work` and measures it.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let watch = Stopwatch::start();
    let value = work();
    (value, watch.cost())
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
