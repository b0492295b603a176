//! Characters of signing inputs: columns and constraints.

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix,
    TableAir, Trace, WindowAccess, columns,
};
use tsz_auth::scan::{Part, end_code, start_code};

use super::{CHAR, END, SCAN, SPLIT};
use crate::sha256::lookup_words;

columns! {
    /// A byte of the padded signing input.
    pub struct TokenCols {
        /// 1 = the row is of a token; boolean.
        is_real,
        /// 1 on the first row of a token; constrained.
        is_first,
        /// 1 on the last row of a token; constrained.
        is_last,
        /// 1 in the final block of a token; boolean, constant in a block.
        is_final,
        /// Number of the token: of its first block in `sha256`; constant in a token.
        token,
        /// Block of `sha256` that holds the row; constrained.
        block,
        /// Rows of the token before this one; constrained.
        at,
        /// Characters of the signing input; constant in a token, `at` of the mark.
        length,
        /// 1 from the row after the dot on; constrained.
        in_payload,
        /// 1 = a character of base64url; boolean.
        is_char,
        /// 1 = the dot; boolean.
        is_dot,
        /// 1 = the byte 0x80 after the text; boolean.
        is_mark,
        /// 1 = a byte after the mark; boolean.
        is_pad,
        /// 1 on the two bytes of the length; constrained.
        is_length,
        /// Place of the character in its group of four, one-hot; boolean, sum `is_char`.
        phase: [4],
        /// The last sixteen bytes of the token, this one last; constrained, of characters on bus `oidc_split`.
        window: [16],
        /// Value of the character; bus `oidc_split`.
        value,
        /// The value over 16; bus `oidc_split`.
        by_16,
        /// The value over 4; bus `oidc_split`.
        by_4,
        /// The decoded byte that begins in this character; constrained where there is one.
        byte,
        /// 1 = a decoded byte begins in this character; constrained.
        has_byte,
        /// State of the scanner before the byte; constrained.
        state,
        /// State after it; bus `oidc_scan` where there is a byte.
        next_state,
        /// 1 = the byte is of the value of a field; bus `oidc_scan`, 0 where there is no byte.
        is_value,
        /// The field; bus `oidc_scan`.
        field,
        /// Bytes of the value before this one; constrained.
        index,
    }
}

columns! {
    /// Fixed columns.
    struct TokenFixed {
        /// 1 on the last of sixteen rows.
        ends_chunk,
        /// Number of the sixteen rows in their block.
        chunk,
        /// 1 on the first row of a block.
        starts_block,
        /// 1 on the last row of a block.
        ends_block,
        /// 1 on the last eight rows of a block.
        is_tail,
        /// 1 on the last two rows of a block.
        is_length_place,
    }
}

/// The AIR; its fixed columns depend on the height.
#[derive(Clone, Copy, Debug)]
pub struct TokenTable {
    log_height: usize,
}

impl TokenTable {
    /// A table of 2^log_height rows, at least 64.
    pub fn new(log_height: usize) -> Self {
        Self { log_height }
    }

    /// Blocks that the table holds.
    pub fn blocks(&self) -> usize {
        (1 << self.log_height) / 64
    }

    /// log2 of the rows.
    pub fn log_height(&self) -> usize {
        self.log_height
    }
}

impl TableAir for TokenTable {
    fn name(&self) -> String {
        "oidc_token".into()
    }
    fn column_names(&self) -> Vec<String> {
        <TokenCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for TokenTable {
    fn width(&self) -> usize {
        TokenCols::<F>::WIDTH
    }
    fn preprocessed_width(&self) -> usize {
        TokenFixed::<F>::WIDTH
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let cells = (0..1usize << self.log_height).flat_map(|row| {
            let at = row % 64;
            let flag = F::from_bool;
            let chunk = F::from_usize(at / 16);
            [flag(at % 16 == 15), chunk, flag(at == 0), flag(at == 63), flag(at >= 56), flag(at >= 62)]
        });
        Some(RowMajorMatrix::new(cells.collect(), TokenFixed::<F>::WIDTH))
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TokenTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = TokenCols::from_row(main.current_slice());
        let next = TokenCols::from_row(main.next_slice());
        let fixed = TokenFixed::<AB::Var>::from_row(builder.preprocessed().current_slice());
        eval_extent(builder, &row, &next, &fixed);
        eval_kinds(builder, &row, &next);
        eval_padding(builder, &row, &next, &fixed);
        eval_bytes(builder, &row, &next);
        eval_scanner(builder, &row, &next);
        eval_messages(builder, &row, &fixed);
    }
}

/// 1 where the next row is of the same token.
fn goes_on<AB: AirBuilder>(next: &TokenCols<AB::Var>) -> AB::Expr {
    next.is_real - next.is_first
}

/// Where tokens begin and end, and what is constant or counts in them.
fn eval_extent<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &TokenCols<AB::Var>,
    next: &TokenCols<AB::Var>,
    fixed: &TokenFixed<AB::Var>,
) {
    let one = AB::Expr::ONE;
    let go = goes_on::<AB>(next);
    builder.assert_bool(row.is_real);
    builder.assert_bool(row.is_final);
    builder.assert_zero(row.is_final * (one.clone() - row.is_real));
    builder.assert_eq(row.is_last, fixed.ends_block * row.is_final);
    // A token begins after another one or after padding, on the first row of a block, and ends with its final block.
    builder.assert_eq(next.is_first, next.is_real * (one.clone() - row.is_real + row.is_last));
    builder.assert_zero(row.is_first * (one.clone() - fixed.starts_block));
    builder.assert_zero(row.is_real * (one.clone() - next.is_real) * (one.clone() - row.is_last));
    builder.assert_zero(row.is_real * (one.clone() - fixed.ends_block) * (next.is_final - row.is_final));

    builder.assert_zero(row.is_first * (row.token - row.block));
    for start in [row.at, row.in_payload, row.index] {
        builder.assert_zero(row.is_first * start);
    }
    builder.assert_zero(row.is_first * (one.clone() - row.phase[0]));
    let differences = [
        next.token - row.token,
        next.length - row.length,
        next.block - row.block - fixed.ends_block,
        next.at - row.at - one,
        next.in_payload - row.in_payload - row.is_dot,
    ];
    for difference in differences {
        builder.assert_zero(go.clone() * difference);
    }
    for k in 1..16 {
        builder.assert_zero(go.clone() * (next.window[k - 1] - row.window[k]));
    }
}

/// What kind of byte follows which.
fn eval_kinds<AB: AirBuilder<F = F>>(builder: &mut AB, row: &TokenCols<AB::Var>, next: &TokenCols<AB::Var>) {
    let one = AB::Expr::ONE;
    for flag in [row.is_char, row.is_dot, row.is_mark, row.is_pad].into_iter().chain(row.phase) {
        builder.assert_bool(flag);
    }
    builder.assert_eq(row.is_char + row.is_dot + row.is_mark + row.is_pad, row.is_real);
    let phases: AB::Expr = row.phase.iter().map(|p| (*p).into()).sum();
    builder.assert_eq(phases, row.is_char);
    // A part begins in phase 0; in it phases follow each other.
    builder.assert_zero(row.is_dot * (one.clone() - next.phase[0]));
    for k in 0..4 {
        builder.assert_zero(row.phase[k] * next.is_char * (one.clone() - next.phase[(k + 1) % 4]));
    }
    builder.assert_zero(row.is_dot * row.in_payload);
    builder.assert_zero(row.is_mark * (one - row.in_payload));
    // After a character no zeros; after the mark only zeros, as long as the token goes on.
    builder.assert_zero(row.is_char * next.is_pad);
    builder.assert_zero((row.is_mark + row.is_pad) * (goes_on::<AB>(next) - next.is_pad));
}

/// Mark, zeros and length of the padding of SHA-256.
fn eval_padding<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &TokenCols<AB::Var>,
    next: &TokenCols<AB::Var>,
    fixed: &TokenFixed<AB::Var>,
) {
    let one = AB::Expr::ONE;
    let [.., before, byte] = row.window;
    builder.assert_zero(row.is_dot * (byte - AB::Expr::from_u8(b'.')));
    builder.assert_zero(row.is_mark * (byte - AB::Expr::from_u8(0x80)));
    builder.assert_eq(row.is_length, fixed.is_length_place * row.is_final);
    builder.assert_zero(row.is_pad * byte * (one.clone() - row.is_length));
    let bits = before * F::from_u32(256) + byte - row.length * F::from_u32(8);
    builder.assert_zero(row.is_last * bits);
    builder.assert_zero(row.is_mark * (row.at - row.length));
    // The last eight bytes of the final block are padding; a mark elsewhere is where its own block has no room for them.
    builder.assert_zero(row.is_final * fixed.is_tail * (one.clone() - row.is_pad));
    builder.assert_zero(row.is_mark * (one.clone() - row.is_final) * (one.clone() - fixed.is_tail));
    // The block after one that ends in padding is final.
    let ends = fixed.ends_block - row.is_last;
    builder.assert_zero(ends * (row.is_mark + row.is_pad) * (one - next.is_final));
}

/// Bytes from the values of neighbouring characters.
fn eval_bytes<AB: AirBuilder<F = F>>(builder: &mut AB, row: &TokenCols<AB::Var>, next: &TokenCols<AB::Var>) {
    let [p0, p1, p2, p3] = row.phase;
    let int = |v: u32| AB::Expr::from_u32(v);
    let low_4 = row.value - row.by_16 * int(16);
    let low_2 = row.value - row.by_4 * int(4);
    let first = row.value * int(4) + next.by_16;
    let second = low_4.clone() * int(16) + next.by_4;
    let third = low_2.clone() * int(64) + next.value;
    builder.assert_eq(row.byte, p0 * first + p1 * second + p2 * third);
    builder.assert_eq(row.has_byte, (row.is_char - p3) * next.is_char);
    // Where a part ends: one character makes no byte, and what two or three have left over is 0.
    let ends = AB::Expr::ONE - next.is_char;
    builder.assert_zero(p0 * ends.clone());
    builder.assert_zero(p1 * ends.clone() * low_4);
    builder.assert_zero(p2 * ends * low_2);
}

/// States of the scanner and places in values.
fn eval_scanner<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &TokenCols<AB::Var>,
    next: &TokenCols<AB::Var>,
) {
    let one = AB::Expr::ONE;
    let code = |c: u8| AB::Expr::from_u8(c);
    builder.assert_zero(row.is_first * (row.state - code(start_code(Part::Header))));
    builder.assert_zero((row.is_char - row.has_byte) * (row.next_state - row.state));
    builder.assert_zero(row.is_dot * (row.state - code(end_code(Part::Header))));
    builder.assert_zero(row.is_dot * (row.next_state - code(start_code(Part::Payload))));
    builder.assert_zero(row.is_mark * (row.state - code(end_code(Part::Payload))));
    let go = goes_on::<AB>(next);
    builder.assert_zero(go.clone() * (next.state - row.next_state));
    builder.assert_bool(row.is_value);
    builder.assert_zero(row.is_value * (one.clone() - row.has_byte));
    let index = row.is_value * (row.index + one.clone()) + (one - row.has_byte) * row.index;
    builder.assert_zero(go * (next.index - index));
}

fn eval_messages<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    row: &TokenCols<AB::Var>,
    fixed: &TokenFixed<AB::Var>,
) {
    let count = |flag: AB::Var| Count::<AB::Expr>::bounded(flag.into(), 1);
    SPLIT.lookup_key(builder, [row.window[15], row.value, row.by_16, row.by_4], count(row.is_char));
    let step = [row.state, row.byte, row.next_state, row.is_value, row.field];
    SCAN.lookup_key(builder, step, count(row.has_byte));
    CHAR.send(builder, [row.token, row.field, row.index, row.byte], count(row.is_value));
    END.send(builder, [row.token, row.block], count(row.is_last));
    let half = |k: usize| row.window[2 * k] * F::from_u32(256) + row.window[2 * k + 1];
    let halves: Vec<AB::Expr> = (0..8).map(half).collect();
    lookup_words(builder, row.block.into(), fixed.chunk.into(), halves, fixed.ends_chunk * row.is_real);
}
