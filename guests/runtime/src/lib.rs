//! What stands between an extension program and the zkVM: entry point, host input, Poseidon2, the end.
//!
//! A guest runs in machine mode, without a kernel beside it: the memory image is the ELF file and nothing else, so its
//! root names all the code that is proven. Instructions to the machine (`ecall`): 0 ends the run, 1 reads from the
//! host, 3 is Poseidon2. The host may answer any read with fewer bytes and with any bytes: a short answer ends the run
//! without a proof, and the bytes are judged by [`tsz_ext_sdk::run`].
#![no_std]

use core::arch::{asm, global_asm};
use tsz_ext_sdk::{Fault, Input, Leaf, Memory, Program, run};

/// Bytes of one read.
const MAX_READ: usize = 1024;
/// Blocks that one Poseidon2 instruction absorbs, and the flag for words that are felts.
const MAX_BLOCKS: usize = 0xffff;
const IS_ELEM: u32 = 0x8000_0000;
/// Where the machine takes the output from.
const OUTPUT: *mut u32 = 0xffff_0240 as *mut u32;

// The stack grows down from the program; the global pointer is not used.
global_asm!(
    ".section .text._start, \"ax\"",
    ".globl _start",
    "_start:",
    "li sp, 0x00200800",
    "call __guest_main",
    "unimp",
);

/// Host input on channel 0.
struct Host;

impl Input for Host {
    fn read(&mut self, words: &mut [u32]) -> Result<(), Fault> {
        for chunk in words.chunks_mut(MAX_READ / 4) {
            let bytes = 4 * chunk.len();
            let got: usize;
            // SAFETY: the machine writes at most `bytes` bytes, into the chunk that is borrowed for it.
            unsafe {
                asm!("ecall", in("a7") 1, inlateout("a0") 0usize => got, in("a1") chunk.as_mut_ptr(), in("a2") bytes);
            }
            if got != bytes {
                return Err(Fault::Shape);
            }
        }
        Ok(())
    }
}

/// Absorbs blocks of 16 felts: the Poseidon2 instruction.
fn absorb(capacity: &mut Leaf, words: &[u32]) {
    let blocks = words.len() / 16;
    if blocks == 0 {
        return;
    }
    if blocks > MAX_BLOCKS {
        fail();
    }
    let mut out: Leaf = [0; 8];
    // SAFETY: the machine reads the blocks, reads and writes the capacity and writes 8 words of `out`; all are aligned
    // to words.
    unsafe {
        asm!(
            "ecall",
            in("a7") 3,
            in("a0") capacity.as_mut_ptr(),
            in("a1") words.as_ptr(),
            in("a2") out.as_mut_ptr(),
            in("a3") IS_ELEM | blocks as u32,
        );
    }
}

/// Runs a program on what the host gives and ends the machine with the digest as output.
pub fn main(program: Program) -> ! {
    static mut MEMORY: Memory = Memory::new();
    // SAFETY: called once, by the only thread.
    let memory = unsafe { &mut *core::ptr::addr_of_mut!(MEMORY) };
    match run(program, &mut Host, memory, absorb) {
        Ok(digest) => halt(&digest),
        Err(_) => fail(),
    }
}

fn halt(digest: &Leaf) -> ! {
    for (k, word) in digest.iter().enumerate() {
        // SAFETY: eight words that the machine sets aside for this.
        unsafe { OUTPUT.add(k).write_volatile(*word) };
    }
    // SAFETY: ends the run, exit code 0.
    unsafe { asm!("ecall", in("a7") 0, in("a0") 0, in("a1") 0) };
    fail()
}

/// Ends the run without a proof: the machine knows no such instruction.
fn fail() -> ! {
    // SAFETY: does not return.
    unsafe { asm!("unimp", options(noreturn)) }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    fail()
}

/// The machine for guests that are no programs of the extension layer. Behind a feature, so that the programs' bytes
/// do not depend on it.
#[cfg(feature = "raw")]
pub mod raw {
    use tsz_ext_sdk::{Fault, Input, Leaf};

    /// Reads words of the host.
    ///
    /// # Errors
    /// [`Fault::Shape`] for a short answer.
    pub fn read(words: &mut [u32]) -> Result<(), Fault> {
        super::Host.read(words)
    }

    /// Ends the run with an output.
    pub fn halt(output: &Leaf) -> ! {
        super::halt(output)
    }

    /// Ends the run without a proof.
    pub fn fail() -> ! {
        super::fail()
    }
}

/// Makes a program the guest's entry point.
#[macro_export]
macro_rules! entry {
    ($program:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn __guest_main() -> ! {
            $crate::main($program)
        }
    };
}
