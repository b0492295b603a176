//! A trade allocates nothing once buffers have grown.

#![expect(clippy::unwrap_used, reason = "a test that cannot build its state has failed")]

#[path = "../benches/exchange/mod.rs"]
#[expect(dead_code, reason = "shared with the benchmarks")]
mod exchange;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tsz_stf::Trusted;
use tsz_trade::Op;

/// The system's allocator, which counts what each thread asks for.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe to implement; each call goes to the system's unchanged"
)]
// SAFETY: `System` upholds the contract, and counting touches no memory that it manages.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` comes from `System.alloc` with this layout.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as for `dealloc`; the caller's promises about `size` are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_trade_allocates_nothing() {
    let mut exchange = exchange::Exchange::new(100, [0, 1, 2]);
    let mixed = |exchange: &exchange::Exchange, from: u32| -> Vec<Op> {
        let both = |k| [exchange.perp(k, false, true).into(), exchange.spot(k).into()].map(Op::Trade);
        (from..from + 500).flat_map(both).collect()
    };
    let warm = mixed(&exchange, 0);
    exchange.run(&warm, &Trusted);
    let ops = mixed(&exchange, 500);
    let before = COUNT.get();
    exchange.run(&ops, &Trusted);
    assert_eq!(COUNT.get() - before, 0);
    // the counter counts
    let before = COUNT.get();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert_eq!(COUNT.get() - before, 1);
}
