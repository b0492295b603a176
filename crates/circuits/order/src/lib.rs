//! Orders in a circuit, shared by the families whose ops fill them (docs/src/domain.md section 4).
//!
//! | module | what |
//! |---|---|
//! | [`order`] | one row a signed order, however often it is filled: [`SpotOrderAir`], [`PerpOrderAir`] |
//! | [`terms`] | what a fill looks up of an order on the bus `order` |
//! | [`slot`] | what a fill does to the order slot |
//! | [`mod@admit`] | KEYA, KEYB, CTL, ORD of one side of a fill |
//! | [`mod@meet`] | two orders that meet: sides, price, roles, self-trades |
//! | [`rows`] | the rows of the order table from signed orders |
//!
//! An order row with its signature and its five permutations costs about 6,500 cells, so it is kept out of the fills:
//! an order that is filled often in a range is hashed and its signature proven once. Soundness: `SOUNDNESS.md`.

pub mod admit;
pub mod meet;
pub mod order;
pub mod rows;
pub mod slot;
pub mod terms;

pub use admit::{Admission, admit};
pub use meet::{Meeting, meet};
pub use order::{Order, PerpExtra, PerpOrder, PerpOrderAir, SpotExtra, SpotOrder, SpotOrderAir};
pub use rows::{Orders, Signable, SignatureRequest};
pub use slot::{SlotMove, slot_move};
pub use terms::{PerpTerms, Terms};
