//! What the allocator does with large blocks.
//!
//! A proof takes and gives back gigabytes in columns of megabytes. glibc maps each of them anew and unmaps it, so that
//! the kernel zeroes its pages every time: a sixth of the CPU time of proving and aggregating. Kept in one heap they are
//! used again, at the same peak. One arena: with several each thread keeps what it has freed to itself, and only the
//! first one grows beyond 64 MiB.

/// Keeps freed blocks for later ones. Before the first thread is started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "mallopt has no safe form")]
pub fn keep() {
    const OPTIONS: [(i32, i32); 3] =
        [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_MAX, 0), (libc::M_TRIM_THRESHOLD, -1)];
    for (option, value) in OPTIONS {
        // SAFETY: takes two integers and no pointers; no other thread is there to race with. A refusal changes nothing.
        let _ = unsafe { libc::mallopt(option, value) };
    }
    ask_for_huge_pages();
}

/// What a batch of 8,192 trades and its aggregation take at most.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const HEAP: usize = 8 << 30;
/// Bytes of a huge page.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const HUGE_PAGE: usize = 2 << 20;

/// Lets the kernel back the heap by huge pages, where it does that for programs that ask: fewer faults, fewer misses of
/// the address cache. The heap is grown once, without a page of it being touched, so that it is one mapping.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "madvise has no safe form")]
fn ask_for_huge_pages() {
    // SAFETY: the block is this function's until it is freed; advice about whole pages inside it changes no contents. A
    // refusal of either call changes nothing.
    unsafe {
        let block = libc::malloc(HEAP).cast::<u8>();
        if block.is_null() {
            return;
        }
        let skipped = block.align_offset(HUGE_PAGE);
        if let Some(rest) = HEAP.checked_sub(skipped) {
            let whole = rest / HUGE_PAGE * HUGE_PAGE;
            let _ = libc::madvise(block.add(skipped).cast(), whole, libc::MADV_HUGEPAGE);
        }
        libc::free(block.cast());
    }
}

/// Other allocators have rules of their own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep() {}
