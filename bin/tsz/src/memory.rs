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
}

/// Other allocators have rules of their own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep() {}
