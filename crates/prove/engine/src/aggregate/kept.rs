//! Proofs of runs and of their parts in the work folder: what a kill interrupts does not prove them again.

use std::path::Path;
use std::{fs, io};

use tsz_codec::{Encode, decode_all};
use tsz_plonk::Prover;
use tsz_stark::F;

use crate::files::write_whole;

/// Public values and bytes of a proof.
pub(super) type RunBytes = (Vec<F>, Vec<u8>);

/// What an earlier aggregation left, if it is a proof of this program.
pub(super) fn read(path: &Path, prover: &Prover) -> Option<RunBytes> {
    let kept: RunBytes = decode_all(&fs::read(path).ok()?).ok()?;
    tsz_plonk::verify(prover.vk(), &kept.0, &kept.1).ok()?;
    Some(kept)
}

/// Keeps a proof.
pub(super) fn write(path: &Path, proof: &RunBytes) -> io::Result<()> {
    let mut bytes = Vec::new();
    proof.encode(&mut bytes);
    write_whole(path, &bytes)
}

#[cfg(test)]
mod tests {
    use tsz_plonk::{Builder, Value};
    use tsz_stark::Profile;
    use tsz_tree::NodeProgram;

    use super::*;

    fn power(power: usize) -> NodeProgram {
        let mut b = Builder::new();
        let x = b.input();
        let product = (1..power).fold(x, |product, _| b.mul(product, x));
        b.expose(product);
        NodeProgram::new(b, Profile::InsecureNode, 6..=8).unwrap()
    }

    #[test]
    fn a_kept_proof_is_taken_if_it_is_one_of_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.run");
        let (square, cube) = (power(2), power(3));
        let (square, cube) = (square.prover(), cube.prover());
        let proof = square.prove(&[Value::from(F::new(3))]).unwrap();
        assert!(read(&path, square).is_none());
        write(&path, &proof).unwrap();
        assert_eq!(read(&path, square), Some(proof.clone()));
        assert!(read(&path, cube).is_none(), "of another program");
        let mut other = proof.clone();
        other.0[0] += F::new(1);
        write(&path, &other).unwrap();
        assert!(read(&path, square).is_none(), "other public values");
        write(&path, &proof).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(read(&path, square).is_none(), "half of a file");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
