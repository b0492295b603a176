//! Many compressions at once: one SIMD pack of states goes through one permutation.

use p3_field::{Field, PackedValue, PrimeCharacteristicRing};
use p3_symmetric::Permutation;
use rayon::prelude::*;
use std::sync::LazyLock;
use tsz_hash::{Digest, F, Permuter, WIDTH, ZERO, join, permuter};

type Pack = <F as Field>::Packing;

/// States hashed by one packed permutation: 8 with AVX2, 16 with AVX-512, 4 with NEON, else 1.
pub const LANES: usize = <Pack as PackedValue>::WIDTH;

/// Digests hashed by one task; large enough to hide the cost of a task, small enough for stealing.
const CHUNK: usize = 512;

static PERMUTER: LazyLock<Permuter> = LazyLock::new(permuter);

/// `compress` of [`LANES`] pairs, given as states `left || right`.
fn compress_pack(rows: &[[F; WIDTH]; LANES]) -> [Digest; LANES] {
    let mut state: [Pack; WIDTH] = Pack::pack_columns(rows);
    let right: [Pack; 8] = core::array::from_fn(|k| state[k + 8]);
    PERMUTER.permute_mut(&mut state);
    let digest: [Pack; 8] = core::array::from_fn(|k| state[k + 8] + right[k]);
    let mut out = [ZERO; LANES];
    Pack::unpack_into(&digest, &mut out);
    out
}

/// Fills `out[i]` with `compress(l, r)` for every `i` where `job(i)` is `Err((l, r))`, and with `d` where it is
/// `Ok(d)`. Runs on all cores when there is enough to do.
pub fn compress_where<J>(out: &mut [Digest], job: J)
where
    J: Fn(usize) -> Result<Digest, (Digest, Digest)> + Sync,
{
    if out.len() <= CHUNK {
        compress_chunk(out, 0, &job);
    } else {
        out.par_chunks_mut(CHUNK).enumerate().for_each(|(c, part)| compress_chunk(part, c * CHUNK, &job));
    }
}

fn compress_chunk<J>(out: &mut [Digest], start: usize, job: &J)
where
    J: Fn(usize) -> Result<Digest, (Digest, Digest)>,
{
    let mut rows = [[F::ZERO; WIDTH]; LANES];
    let mut target = [0; LANES];
    let mut filled = 0;
    for i in 0..out.len() {
        match job(start + i) {
            Ok(digest) => out[i] = digest,
            Err((left, right)) => {
                rows[filled] = join(&left, &right);
                target[filled] = i;
                filled += 1;
            }
        }
        if filled == LANES {
            flush(out, &rows, &target);
            filled = 0;
        }
    }
    if filled > 0 {
        flush(out, &rows, &target[..filled]);
    }
}

fn flush(out: &mut [Digest], rows: &[[F; WIDTH]; LANES], target: &[usize]) {
    let digests = compress_pack(rows);
    for (i, digest) in target.iter().zip(digests) {
        out[*i] = digest;
    }
}
