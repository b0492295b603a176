//! Proving keys of nodes on disk, by vk digest.
//!
//! A file holds the committed preprocessed columns of one key ([`tsz_stark::ProvingKey::committed`]). Its name is the
//! digest that is pinned, and a key that is made of it has to have that digest: what is damaged, or of another
//! program, is computed anew and replaced. The columns are not hashed again: a file that somebody made on purpose, with
//! the root of the pinned key and other columns, makes proofs that do not hold, which is noticed when one is stored.

use std::fs;
use std::path::{Path, PathBuf};

use tsz_hash::Digest;
use tsz_plonk::Builder;
use tsz_stark::Profile;
use tsz_tree::NodeProgram;

use super::nodes::failed;
use crate::error::EngineError;
use crate::files::write_whole;
use crate::hexdigest::Hex;

/// A folder of proving keys.
#[derive(Clone, Debug)]
pub(super) struct KeyFolder(PathBuf);

impl KeyFolder {
    /// Makes the folder if there is none.
    pub(super) fn new(dir: &Path) -> Result<Self, EngineError> {
        fs::create_dir_all(dir).map_err(EngineError::io(dir))?;
        Ok(Self(dir.to_path_buf()))
    }

    fn path(&self, vk: &Digest) -> PathBuf {
        self.0.join(format!("{}.key", Hex(*vk)))
    }

    /// The file of a key, if there is one.
    pub(super) fn file(&self, vk: &Digest) -> Option<PathBuf> {
        Some(self.path(vk)).filter(|path| path.exists())
    }

    fn store(&self, program: &NodeProgram, vk: &Digest, name: &str) -> Result<(), EngineError> {
        let bytes = program.prover().proving_key().committed().map_err(|e| failed(name)(&e))?;
        let path = self.path(vk);
        write_whole(&path, &bytes).map_err(EngineError::io(&path))
    }
}

/// A program with its key, which comes from the folder if there is one that has it.
///
/// Without a pinned key of the name there is nothing to look for, and the key is computed.
///
/// # Errors
/// [`EngineError`] if the circuit fits no shape, or if the folder cannot be written to.
pub(super) fn program(
    folder: Option<&KeyFolder>,
    pinned: Option<Digest>,
    name: &str,
    circuit: Builder,
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
) -> Result<NodeProgram, EngineError> {
    let (Some(folder), Some(vk)) = (folder, pinned) else {
        return NodeProgram::new(circuit, profile, logs).map_err(|e| failed(name)(&e));
    };
    let kept = fs::read(folder.path(&vk)).ok();
    let program = NodeProgram::with_committed(circuit, profile, logs, &vk, kept.as_deref());
    let (program, was_kept) = program.map_err(|e| failed(name)(&e))?;
    if !was_kept && *program.vk().digest() == vk {
        folder.store(&program, &vk, name)?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circuit(power: usize) -> Builder {
        let mut b = Builder::new();
        let x = b.input();
        let mut product = x;
        for _ in 1..power {
            product = b.mul(product, x);
        }
        b.expose(product);
        b
    }

    #[test]
    fn keys_are_kept_by_digest_and_computed_anew_when_damaged_or_of_another_program() {
        let dir = tempfile::tempdir().unwrap();
        let folder = KeyFolder::new(&dir.path().join("keys")).unwrap();
        let digest = |power| {
            let program = NodeProgram::new(circuit(power), Profile::InsecureNode, 6..=8).unwrap();
            *program.vk().digest()
        };
        let (square, cube) = (digest(2), digest(3));
        let make = |power, pinned| {
            let made = program(Some(&folder), pinned, "test", circuit(power), Profile::InsecureNode, 6..=8);
            *made.unwrap().vk().digest()
        };
        let files = || fs::read_dir(&folder.0).unwrap().count();
        // Without a pin, or for another key than the pinned one, nothing is kept.
        assert_eq!((make(2, None), files()), (square, 0));
        assert_eq!((make(2, Some(cube)), files()), (square, 0));
        assert_eq!((make(2, Some(square)), files()), (square, 1));
        let path = folder.path(&square);
        let kept = fs::read(&path).unwrap();
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(make(2, Some(square)), square);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written, "read, not written");
        // The key of another program under this name does not become this program's.
        assert_eq!((make(3, Some(cube)), files()), (cube, 2));
        fs::copy(folder.path(&cube), &path).unwrap();
        assert_eq!(make(2, Some(square)), square);
        assert_eq!(fs::read(&path).unwrap(), kept, "replaced");
        for damage in [0, 40, kept.len() - 1] {
            let mut damaged = kept.clone();
            damaged[damage] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert_eq!(make(2, Some(square)), square);
            assert_eq!(fs::read(&path).unwrap(), kept, "replaced");
        }
        fs::write(&path, &kept[..kept.len() / 2]).unwrap();
        assert_eq!(make(2, Some(square)), square);
        assert_eq!(fs::read(&path).unwrap(), kept);
    }

    #[test]
    fn a_kept_key_proves_as_the_computed_one() {
        let dir = tempfile::tempdir().unwrap();
        let folder = KeyFolder::new(dir.path()).unwrap();
        let computed = NodeProgram::new(circuit(5), Profile::InsecureNode, 6..=8).unwrap();
        let vk = *computed.vk().digest();
        folder.store(&computed, &vk, "test").unwrap();
        let kept =
            program(Some(&folder), Some(vk), "test", circuit(5), Profile::InsecureNode, 6..=8).unwrap();
        let inputs = [tsz_plonk::Value::from(tsz_stark::F::new(3))];
        let (publics, proof) = kept.prover().prove(&inputs).unwrap();
        tsz_plonk::verify(computed.vk(), &publics, &proof).unwrap();
    }
}
