//! Layout: which slot of which row of which table holds each wire.
//!
//! A **slot** is a place of a row that puts `(address, value)` on the witness bus. Its address and its signed
//! multiplicity are preprocessed: +1 where the row reads the wire, -r in the one slot that defines a wire with r
//! readers, 0 where the slot is unused.
//!
//! A wire computed by a node is defined by the node's row. A witness value is computed by nobody: the first slot
//! that reads it defines it instead. A base field value must be defined in a slot that is in the base field by
//! construction, because an arithmetic slot would take any extension element: where no such slot reads it, it
//! gets one in a row of the `pack` table, shared by up to four.
//!
//! Wires that the program asserts to be equal share an address, so that the assertion takes no row: the first slot
//! that computes or reads one of them defines it, the others read. Base field witness values are left out, because
//! where they are defined matters.

use p3_field::PrimeCharacteristicRing;
use tsz_stark::F;

use crate::ir::{FELT_BITS, Form, Ir, Kind, NONE, Node, Wire};

/// Slots of a row of the arithmetic table: a, b, c, d.
pub(crate) const ALU_SLOTS: usize = 4;
/// Slots of a permutation: four quads in, four quads out, the swap bit.
pub(crate) const P2_SLOTS: usize = 9;
/// Slots of a permutation of width 24: six quads in, six quads out, the swap bit.
pub(crate) const P24_SLOTS: usize = 13;
/// Slots of a pack row: the quad and its coordinates.
pub(crate) const PACK_SLOTS: usize = 5;
/// Slots of a bits row: the felt and its bits.
pub(crate) const BITS_SLOTS: usize = 1 + FELT_BITS;
/// Quads of a row of the batch reduction table.
pub(crate) const QUADS: usize = 2;
/// Slots of a batch reduction row: the quads, alpha, result.
pub(crate) const HORNER_SLOTS: usize = QUADS + 2;
/// In place of a mask: the quad counts as the extension element that it is, and the step is one power of alpha.
pub(crate) const WHOLE: u8 = 1 << 4;

/// The slots of one table.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    /// Slots of a row.
    pub(crate) width: usize,
    /// True for each slot of a row that holds a base field value by construction.
    base: fn(usize) -> bool,
    wires: Vec<Wire>,
    defines: Vec<bool>,
}

impl Slots {
    fn new(width: usize, base: fn(usize) -> bool) -> Self {
        Self { width, base, wires: Vec::new(), defines: Vec::new() }
    }

    /// Number of rows in use.
    pub(crate) fn rows(&self) -> usize {
        self.wires.len() / self.width
    }

    /// The wires of a row; [`NONE`] where a slot is unused.
    pub(crate) fn row(&self, row: usize) -> &[Wire] {
        &self.wires[row * self.width..(row + 1) * self.width]
    }

    fn defines(&self, row: usize) -> &[bool] {
        &self.defines[row * self.width..(row + 1) * self.width]
    }
}

/// A laid out program.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) alu: Slots,
    /// The form of each arithmetic row.
    pub(crate) forms: Vec<Form>,
    pub(crate) p2: Slots,
    /// Whether each permutation has a swap bit.
    pub(crate) swaps: Vec<bool>,
    /// Permutations of width 24; programs without one have no table of them.
    pub(crate) p24: Slots,
    /// Whether each of them has a swap bit.
    pub(crate) swaps24: Vec<bool>,
    pub(crate) pack: Slots,
    pub(crate) bits: Slots,
    pub(crate) horner: Slots,
    /// Whether each batch reduction row goes on in the next row.
    pub(crate) chains: Vec<bool>,
    /// Which coordinates of the quads of each batch reduction row count, or [`WHOLE`] for all of them.
    pub(crate) masks: Vec<[u8; QUADS]>,
    /// One row of all public values.
    pub(crate) public: Slots,
    /// Base field witness values.
    base_inputs: Vec<Wire>,
    /// Number of readers of each wire.
    reads: Vec<u32>,
}

/// What a wire is to the layout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    /// No slot defines it yet and none may: its node has not been placed.
    Pending,
    /// A witness value without a defining slot.
    Free {
        base: bool,
    },
    Defined,
}

struct Placer {
    status: Vec<Status>,
    reads: Vec<u32>,
    /// The wire whose address each wire has.
    address: Vec<Wire>,
}

impl Placer {
    /// Adds a row: `results` are the slots that define their wires.
    fn place(&mut self, table: &mut Slots, row: &[Wire], results: std::ops::Range<usize>) {
        debug_assert_eq!(row.len(), table.width);
        for (k, &wire) in row.iter().enumerate() {
            let wire = if wire == NONE { NONE } else { self.address[wire as usize] };
            let defines = wire != NONE && self.defines(wire, results.contains(&k), (table.base)(k));
            if wire != NONE && !defines {
                self.reads[wire as usize] += 1;
            }
            table.wires.push(wire);
            table.defines.push(defines);
        }
    }

    /// Whether a node says nothing but that two wires of one address are equal.
    fn is_one(&self, node: &Node) -> bool {
        let at = |wire: Wire| self.address[wire as usize];
        node.kind.is_equality() && at(node.args[0]) == at(node.args[3])
    }

    fn defines(&mut self, wire: Wire, is_result: bool, slot_is_base: bool) -> bool {
        let status = &mut self.status[wire as usize];
        let defines = match *status {
            Status::Pending => is_result,
            Status::Free { base } => !base || slot_is_base,
            Status::Defined => false,
        };
        if defines {
            *status = Status::Defined;
        }
        defines
    }
}

/// The wire whose address each wire has: the first of those that are asserted to be equal.
fn addresses(ir: &Ir) -> Vec<Wire> {
    fn root(address: &mut [Wire], mut wire: Wire) -> Wire {
        while address[wire as usize] != wire {
            let next = address[wire as usize];
            address[wire as usize] = address[next as usize];
            wire = next;
        }
        wire
    }
    let mut address: Vec<Wire> = (0..ir.wires).collect();
    let mut is_base_input = vec![false; ir.wires as usize];
    for node in &ir.nodes {
        match node.kind {
            Kind::Input { base: true, .. } => is_base_input[node.out as usize] = true,
            _ if !node.kind.is_equality() => {}
            _ if [0, 3].iter().any(|k| is_base_input[node.args[*k] as usize]) => {}
            _ => {
                let [a, b] = [0, 3].map(|k: usize| root(&mut address, node.args[k]));
                address[a.max(b) as usize] = a.min(b);
            }
        }
    }
    for wire in 0..ir.wires {
        address[wire as usize] = root(&mut address, wire);
    }
    address
}

impl Layout {
    /// Lays out the nodes in order.
    pub(crate) fn new(ir: &Ir, public_slots: usize) -> Self {
        let wires = ir.wires as usize;
        let mut layout = Self {
            alu: Slots::new(ALU_SLOTS, |_| false),
            forms: Vec::new(),
            p2: Slots::new(P2_SLOTS, |k| k == P2_SLOTS - 1),
            swaps: Vec::new(),
            p24: Slots::new(P24_SLOTS, |k| k == P24_SLOTS - 1),
            swaps24: Vec::new(),
            pack: Slots::new(PACK_SLOTS, |k| k > 0),
            bits: Slots::new(BITS_SLOTS, |_| true),
            horner: Slots::new(HORNER_SLOTS, |_| false),
            chains: Vec::new(),
            masks: Vec::new(),
            public: Slots::new(public_slots, |_| true),
            base_inputs: Vec::new(),
            reads: Vec::new(),
        };
        let address = addresses(ir);
        let mut placer = Placer { status: vec![Status::Pending; wires], reads: vec![0; wires], address };
        let mut exposed = Vec::new();
        for node in &ir.nodes {
            match node.kind {
                Kind::Input { base, .. } => {
                    let status = &mut placer.status[placer.address[node.out as usize] as usize];
                    if *status == Status::Pending {
                        *status = Status::Free { base };
                    }
                    if base {
                        layout.base_inputs.push(node.out);
                    }
                }
                Kind::Expose => exposed.push(node.args[0]),
                Kind::Check(_) if placer.is_one(node) => {}
                _ => layout.place(node, &mut placer),
            }
        }
        exposed.resize(public_slots, NONE);
        placer.place(&mut layout.public, &exposed, 0..0);
        // The sweep has dropped unread inputs, so each of these is read by an extension slot.
        let homeless = |w: &Wire| placer.status[*w as usize] == Status::Free { base: true };
        let homeless: Vec<Wire> = layout.base_inputs.iter().copied().filter(homeless).collect();
        for group in homeless.chunks(4) {
            let at = |k: usize| group.get(k).copied().unwrap_or(NONE);
            placer.place(&mut layout.pack, &[NONE, at(0), at(1), at(2), at(3)], 0..0);
        }
        layout.reads = placer.reads;
        layout
    }

    fn place(&mut self, node: &Node, placer: &mut Placer) {
        let (args, out) = (&node.args, node.out);
        match node.kind {
            Kind::Const(k) => {
                self.forms.push(Form { k, ..Form::ZERO });
                placer.place(&mut self.alu, &[NONE, NONE, NONE, out], 3..4);
            }
            Kind::Alu(form) => {
                self.forms.push(form);
                placer.place(&mut self.alu, &[args[0], args[1], args[2], out], 3..4);
            }
            Kind::Check(form) => {
                self.forms.push(form);
                placer.place(&mut self.alu, args, 0..0);
            }
            // v * (z - scale * x) = n: the first factor is the result.
            Kind::Quotient { scale } => {
                self.forms.push(Form { ab: F::ONE, ac: -scale, ..Form::ZERO });
                placer.place(&mut self.alu, &[out, args[1], args[2], args[0]], 0..1);
            }
            // x * (1/x) = 1: the second factor is the result.
            Kind::Inverse => {
                self.forms.push(Form { ab: F::ONE, ..Form::ZERO });
                placer.place(&mut self.alu, &[args[0], out, NONE, args[1]], 1..2);
            }
            Kind::Pack => {
                placer.place(&mut self.pack, &[out, args[0], args[1], args[2], args[3]], 0..1);
            }
            Kind::Unpack => {
                placer.place(&mut self.pack, &[args[0], out, out + 1, out + 2, out + 3], 1..5);
            }
            Kind::Bits => {
                let row: Vec<Wire> = std::iter::once(args[0]).chain(node.outs()).collect();
                placer.place(&mut self.bits, &row, 1..BITS_SLOTS);
            }
            Kind::Permute { swap } => {
                self.swaps.push(swap);
                let mut row: Vec<Wire> = args[..4].iter().copied().chain(node.outs()).collect();
                row.push(if swap { args[4] } else { NONE });
                placer.place(&mut self.p2, &row, 4..8);
            }
            Kind::Permute24 { swap } => {
                self.swaps24.push(swap);
                let mut row: Vec<Wire> = args[..6].iter().copied().chain(node.outs()).collect();
                row.push(if swap { args[6] } else { NONE });
                placer.place(&mut self.p24, &row, 6..12);
            }
            Kind::Horner { ref masks } => self.place_horner(masks, args, out, placer),
            Kind::Polynomial => self.place_horner(&vec![WHOLE; args.len() - 1], args, out, placer),
            Kind::Input { .. } | Kind::Expose => {}
        }
    }

    /// Two quads a row, the first row filled up in front: the first row reads alpha, the last defines the result.
    ///
    /// The optimiser makes polynomials of whole rows.
    fn place_horner(&mut self, masks: &[u8], args: &[Wire], out: Wire, placer: &mut Placer) {
        let mut quads: Vec<(Wire, u8)> = args[1..].iter().copied().zip(masks.iter().copied()).collect();
        let missing = quads.len().next_multiple_of(QUADS) - quads.len();
        quads.splice(0..0, std::iter::repeat_n((NONE, 0), missing));
        let rows = quads.len() / QUADS;
        for (i, quads) in quads.as_chunks::<QUADS>().0.iter().enumerate() {
            let (first, last) = (i == 0, i + 1 == rows);
            let when = |flag: bool, wire: Wire| if flag { wire } else { NONE };
            let mut row = [NONE; HORNER_SLOTS];
            for (slot, (wire, _)) in row.iter_mut().zip(quads) {
                *slot = *wire;
            }
            (row[QUADS], row[QUADS + 1]) = (when(first, args[0]), when(last, out));
            self.chains.push(!last);
            self.masks.push(quads.map(|(_, mask)| mask));
            placer.place(&mut self.horner, &row, if last { QUADS + 1..HORNER_SLOTS } else { 0..0 });
        }
    }

    /// Signed multiplicity of each slot of a row of `table`.
    pub(crate) fn multiplicities<'a>(
        &'a self,
        table: &'a Slots,
        row: usize,
    ) -> impl Iterator<Item = i64> + 'a {
        table.row(row).iter().zip(table.defines(row)).map(|(&wire, &defines)| match (wire, defines) {
            (NONE, _) => 0,
            (_, false) => 1,
            (_, true) => -i64::from(self.reads[wire as usize]),
        })
    }

    /// The tables, in the order of the machine.
    pub(crate) fn tables(&self) -> [&Slots; 7] {
        [&self.alu, &self.p2, &self.pack, &self.bits, &self.horner, &self.public, &self.p24]
    }

    /// Checks what the soundness argument says of addresses, over the slots themselves: each wire that is read is
    /// defined by exactly one slot, nothing defines a wire twice, and each base field witness value is defined in a
    /// slot that holds base field values by construction. False is a bug of this module.
    pub(crate) fn is_sound(&self) -> bool {
        let mut defined = vec![0u32; self.reads.len()];
        let mut defined_in_base = vec![false; self.reads.len()];
        let mut read = vec![0u32; self.reads.len()];
        for table in self.tables() {
            let slots = table.wires.iter().zip(&table.defines).enumerate();
            for (slot, (wire, defines)) in slots.filter(|(_, (wire, _))| **wire != NONE) {
                let count = if *defines { &mut defined } else { &mut read };
                count[*wire as usize] += 1;
                if *defines {
                    defined_in_base[*wire as usize] = (table.base)(slot % table.width);
                }
            }
        }
        let in_base = |wire: &Wire| defined[*wire as usize] == 1 && defined_in_base[*wire as usize];
        read == self.reads
            && defined.iter().zip(&read).all(|(d, r)| *d <= 1 && (*r == 0 || *d == 1))
            && self.base_inputs.iter().all(in_base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Builder;

    /// `x` and `f` are asserted equal; `f` is read by arithmetic alone.
    fn layout() -> Layout {
        let mut b = Builder::new();
        let (x, f) = (b.input_ext(), b.input());
        b.assert_eq(x, f.into());
        let square = b.square(f);
        b.expose(square);
        let ir = crate::optimise::optimise(b.ir);
        Layout::new(&ir, ir.publics)
    }

    #[test]
    fn a_layout_with_a_felt_that_is_defined_outside_the_base_field_is_not_sound() {
        let honest = layout();
        assert!(honest.is_sound());
        let [f] = honest.base_inputs[..] else { panic!("one felt") };
        // The felt's home row becomes a reader, and a slot of arithmetic defines it: counts agree.
        let mut lie = honest;
        let home = lie.pack.wires.iter().position(|w| *w == f).unwrap();
        let other = lie.alu.wires.iter().position(|w| *w == f).unwrap();
        assert!(lie.pack.defines[home] && !lie.alu.defines[other]);
        lie.pack.defines[home] = false;
        lie.alu.defines[other] = true;
        assert!(!lie.is_sound());
        // Without a definition, or with the address of another wire, it is not either.
        lie.alu.defines[other] = false;
        assert!(!lie.is_sound());
        let mut lie = layout();
        lie.pack.wires[home] = NONE;
        lie.pack.defines[home] = false;
        assert!(!lie.is_sound());
    }
}
