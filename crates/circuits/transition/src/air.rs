//! The tables of the circuit.

use tsz_air::air_enum;
use tsz_chips::poseidon2::Poseidon2Table;
use tsz_chips::range::RangeTable;
use tsz_chips::tuple::TupleAir;

use crate::access::AccessAir;
use crate::leaf::LeafAir;
use crate::merkle::MerkleAir;
use crate::set::SetAir;

air_enum! {
    /// Tables of the transition circuit, in the order of traces: access, leaf, merkle, tuple, set, range, then one
    /// or more Poseidon2 tables.
    pub enum TransitionAir {
        Access(AccessAir),
        Leaf(LeafAir),
        Merkle(MerkleAir),
        Tuple(TupleAir),
        Set(SetAir),
        Range(RangeTable),
        Poseidon2(Poseidon2Table),
    }
}
