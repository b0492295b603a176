//! Poseidon2 of width 16 in software: the permutation that the state tree is made of (docs/src/hash.md), for Merkle
//! proofs inside a program. The zkVM has an instruction for another one, of width 24.
//!
//! Numbers are in signed Montgomery form: x stands for x / 2^32 modulo P, and every lane is any `i32`. A product of two
//! such numbers reduces to below 2^31 in five instructions without a comparison ([`reduce`]), and linear layers add up
//! in 64 bits.

use crate::{CELL, Fault, Key, Leaf, P, merkle};

/// Width of the permutation.
const WIDTH: usize = 16;
/// Full rounds before the partial ones, and after them.
const HALF_FULL: usize = 4;
/// Partial rounds.
const PARTIAL: usize = 13;
/// The inverse of P modulo 2^32: 15 * 2^27 is nilpotent.
const P_INVERSE: i32 = 0x8800_0001_u32 as i32;
/// 2^64 and 2^96 modulo P.
const R2: i32 = centred(power_of_two(64));
const R3: i32 = centred(power_of_two(96));

/// Round constants of Plonky3's BabyBear instance (Grain LFSR; x^7, 8 + 13 rounds).
const EXTERNAL: [[u32; WIDTH]; 2 * HALF_FULL] = [
    [
        0x69cb_b6af,
        0x46ad_93f9,
        0x60a0_0f4e,
        0x6b12_97cd,
        0x2318_9afe,
        0x732e_7bef,
        0x72c2_46de,
        0x2c94_1900,
        0x0557_eede,
        0x1580_496f,
        0x3a3e_a77b,
        0x54f3_f271,
        0x0f49_b029,
        0x4787_2fe1,
        0x221e_2e36,
        0x1ab7_202e,
    ],
    [
        0x4877_79a6,
        0x3851_c9d8,
        0x38dc_17c0,
        0x209f_8849,
        0x268d_cee8,
        0x350c_48da,
        0x5b9a_d32e,
        0x0523_272b,
        0x3f89_055b,
        0x01e8_94b2,
        0x13dd_edde,
        0x1b2e_f334,
        0x7507_d8b4,
        0x6cee_b94e,
        0x52eb_6ba2,
        0x5064_2905,
    ],
    [
        0x0545_3f3f,
        0x0634_9efc,
        0x6922_787c,
        0x04bf_ff9c,
        0x768c_714a,
        0x3e9f_f21a,
        0x1573_7c9c,
        0x2229_c807,
        0x0d47_f88c,
        0x097e_0ecc,
        0x27ea_dba0,
        0x2d7d_29e4,
        0x3502_aaa0,
        0x0f47_5fd7,
        0x29fb_da49,
        0x018a_fffd,
    ],
    [
        0x0315_b618,
        0x6d44_97d1,
        0x1b17_1d9e,
        0x5286_1abd,
        0x2e5d_0501,
        0x3ec8_646c,
        0x6e5f_250a,
        0x148a_e8e6,
        0x17f5_fa4a,
        0x3e66_d284,
        0x0051_aa3b,
        0x483f_7913,
        0x2cfe_5f15,
        0x0234_27ca,
        0x2cc7_8315,
        0x1e36_ea47,
    ],
    [
        0x7290_a80d,
        0x6f7e_5329,
        0x598e_c8a8,
        0x76a8_59a0,
        0x6559_e868,
        0x657b_83af,
        0x1327_1d3f,
        0x1f87_6063,
        0x0aee_ae37,
        0x706e_9ca6,
        0x4640_0cee,
        0x72a0_5c26,
        0x2c58_9c9e,
        0x20bd_37a7,
        0x6a2d_3d10,
        0x2052_3767,
    ],
    [
        0x5b8f_e9c4,
        0x2aa5_01d6,
        0x1e01_ac3e,
        0x1448_bc54,
        0x5ce5_ad1c,
        0x4918_a14d,
        0x2c46_a83f,
        0x4fcf_6876,
        0x61d8_d5c8,
        0x6ddf_4ff9,
        0x11fd_a4d3,
        0x0293_3a8f,
        0x170e_af81,
        0x5a9c_314f,
        0x49a1_2590,
        0x35ec_52a1,
    ],
    [
        0x58eb_1611,
        0x5e48_1e65,
        0x3671_25c9,
        0x0eba_33ba,
        0x1fc2_8ded,
        0x0663_99ad,
        0x0cbe_c0ea,
        0x75fd_1af0,
        0x50f5_bf4e,
        0x643d_5f41,
        0x6f4f_e718,
        0x5b3c_bbde,
        0x1e3a_fb3e,
        0x296f_b027,
        0x45e1_547b,
        0x4a8d_b2ab,
    ],
    [
        0x5998_6d19,
        0x30bc_dfa3,
        0x1db6_3932,
        0x1d7c_2824,
        0x53b3_3681,
        0x0673_b747,
        0x038a_98a3,
        0x2c5b_ce60,
        0x3519_79cd,
        0x5008_fb73,
        0x547b_ca78,
        0x711a_f481,
        0x3f93_bf64,
        0x644d_987b,
        0x3c8b_cd87,
        0x6087_58b8,
    ],
];
const INTERNAL: [u32; PARTIAL] = [
    0x5a80_53c0,
    0x693b_e639,
    0x3858_867d,
    0x1933_4f6b,
    0x128f_0fd8,
    0x4e2b_1ccb,
    0x6121_0ce0,
    0x3c31_8939,
    0x0b5b_2f22,
    0x2edb_11d5,
    0x213e_ffdf,
    0x0cac_4606,
    0x241a_f16d,
];
/// The diagonal of the internal layer: -2, 1, 2, 1/2, 3, 4, -1/2, -3, -4, 1/2^8, 1/4, 1/8, 1/2^27, -1/2^8, -1/16,
/// -1/2^27.
const DIAGONAL: [i32; WIDTH] = [
    small(-2),
    small(1),
    small(2),
    part(1, 1),
    small(3),
    small(4),
    part(-1, 1),
    small(-3),
    small(-4),
    part(1, 8),
    part(1, 2),
    part(1, 3),
    part(1, 27),
    part(-1, 8),
    part(-1, 4),
    part(-1, 27),
];

/// 2^k modulo P.
const fn power_of_two(k: u32) -> u32 {
    let mut value: u32 = 1;
    let mut n = 0;
    while n < k {
        value = value * 2 % P; // 31 bits
        n += 1;
    }
    value
}

/// The representative of a canonical number that is nearest to zero.
const fn centred(x: u32) -> i32 {
    if x > P / 2 { x.wrapping_sub(P) as i32 } else { x as i32 }
}

/// `x * 2^k` modulo P, centred.
const fn scaled(x: u32, k: u32) -> i32 {
    centred((x as u64 * power_of_two(k) as u64 % P as u64) as u32)
}

/// A small number in Montgomery form.
const fn small(x: i32) -> i32 {
    let x = if x < 0 { P.wrapping_add(x as u32) } else { x as u32 };
    scaled(x, 32)
}

/// `sign / 2^k` in Montgomery form.
const fn part(sign: i32, k: u32) -> i32 {
    let x = power_of_two(32 - k);
    centred(if sign < 0 { P - x } else { x })
}

/// Constants of the full rounds in Montgomery form.
static FULL: [[i32; WIDTH]; 2 * HALF_FULL] = {
    let mut out = [[0; WIDTH]; 2 * HALF_FULL];
    let mut round = 0;
    while round < 2 * HALF_FULL {
        let mut lane = 0;
        while lane < WIDTH {
            out[round][lane] = scaled(EXTERNAL[round][lane], 32);
            lane += 1;
        }
        round += 1;
    }
    out
};
/// Constants of the partial rounds, times 2^64: they are added before a reduction.
static LANE_0: [i32; PARTIAL] = {
    let mut out = [0; PARTIAL];
    let mut round = 0;
    while round < PARTIAL {
        out[round] = scaled(INTERNAL[round], 64);
        round += 1;
    }
    out
};
/// The first of them, for the full layer before.
static FIRST: [i32; WIDTH] = {
    let mut out = [0; WIDTH];
    out[0] = scaled(INTERNAL[0], 32);
    out
};
static NONE: [i32; WIDTH] = [0; WIDTH];

/// `v / 2^32` modulo P, within `|v| / 2^32 + P / 2`: an `i32` for all `|v| <= 2^62`.
#[inline(always)]
const fn reduce(v: i64) -> i32 {
    let q = (v as i32).wrapping_mul(P_INVERSE);
    // the lower halves of v and q P are the same
    let upper = (q as i64).wrapping_mul(P as i64) >> 32;
    ((v >> 32) as i32).wrapping_sub(upper as i32)
}

/// The product in Montgomery form of any two `i32`.
#[inline(always)]
const fn mul(a: i32, b: i32) -> i32 {
    reduce((a as i64).wrapping_mul(b as i64))
}

#[inline(always)]
const fn seventh(x: i32) -> i32 {
    let square = mul(x, x);
    mul(mul(square, x), mul(square, square))
}

#[inline(always)]
fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b) // below 2^38 in all layers
}

/// The external layer, `circ(2 M, M, M, M)` with M of rows `2 3 1 1` rotated, and then the constants of a round.
#[inline(always)]
fn external(state: &mut [i32; WIDTH], constants: &[i32; WIDTH]) {
    let mut out = [0i64; WIDTH];
    let mut sums = [0i64; 4];
    for chunk in 0..4 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|k| i64::from(state[4 * chunk + k]));
        let (ab, cd) = (add(a, b), add(c, d));
        let all = add(ab, cd);
        let (more_b, more_d) = (add(all, b), add(all, d));
        let rows = [add(more_b, ab), add(more_b, add(c, c)), add(more_d, cd), add(more_d, add(a, a))];
        for k in 0..4 {
            out[4 * chunk + k] = rows[k];
            sums[k] = add(sums[k], rows[k]);
        }
    }
    for k in 0..WIDTH {
        let sum = add(add(out[k], sums[k % 4]), i64::from(constants[k]));
        state[k] = mul(reduce(sum), R2);
    }
}

/// The internal layer, all ones and the diagonal; `constant` (times 2^64) is added to lane 0.
#[inline(always)]
fn internal(state: &mut [i32; WIDTH], constant: i32) {
    let sum = state.iter().fold(0, |sum, x| add(sum, i64::from(*x)));
    let sum = i64::from(mul(reduce(sum), R3)); // times 2^32
    for k in 0..WIDTH {
        // |diagonal| <= P / 2, so that the sum is below 2^62
        let product = i64::from(DIAGONAL[k]).wrapping_mul(i64::from(state[k]));
        let sum = if k == 0 { add(sum, i64::from(constant)) } else { sum };
        state[k] = reduce(add(product, sum));
    }
}

/// The permutation, on numbers in Montgomery form.
fn permute(state: &mut [i32; WIDTH]) {
    external(state, &FULL[0]);
    for constants in FULL.iter().take(HALF_FULL).skip(1).chain([&FIRST]) {
        state.iter_mut().for_each(|x| *x = seventh(*x));
        external(state, constants);
    }
    for round in 1..=PARTIAL {
        state[0] = seventh(state[0]);
        internal(state, LANE_0.get(round).copied().unwrap_or(0));
    }
    for (x, constant) in state.iter_mut().zip(&FULL[HALF_FULL]) {
        *x = mul(reduce(add(i64::from(*x), i64::from(*constant))), R2);
    }
    for constants in FULL.iter().skip(HALF_FULL + 1).chain([&NONE]) {
        state.iter_mut().for_each(|x| *x = seventh(*x));
        external(state, constants);
    }
}

/// The compression of the state tree: `P(l || r)[8..16] + r`. Words are canonical field elements, and so is the result.
pub fn compress(l: &Leaf, r: &Leaf) -> Leaf {
    let mut state = [0; WIDTH];
    for k in 0..CELL {
        state[k] = mul(l[k] as i32, R2);
        state[CELL + k] = mul(r[k] as i32, R2);
    }
    permute(&mut state);
    core::array::from_fn(|k| {
        let x = reduce(i64::from(state[CELL + k])); // at most P / 2 + 1 from zero
        let x = if x < 0 { (x as u32).wrapping_add(P) } else { x as u32 };
        let sum = x + r[k]; // below 2 P
        if sum >= P { sum - P } else { sum }
    })
}

/// Demands that the tree with `root` holds `leaf` at `key`: [`merkle::check`] for the state tree. `siblings` go from the
/// leaf up.
///
/// # Errors
/// [`Fault::Cell`] if it does not, [`Fault::Shape`] for another number of siblings or a key of more than 40 bits,
/// [`Fault::Word`] for words that are no field elements.
pub fn check(root: &Leaf, key: Key, leaf: &Leaf, siblings: &[Leaf]) -> Result<(), Fault> {
    if key.hi >> 26 != 0 || key.lo >> 14 != 0 {
        return Err(Fault::Shape);
    }
    // one number has one word: a leaf is read by others as it stands here
    if leaf.iter().chain(siblings.as_flattened()).any(|w| *w >= P) {
        return Err(Fault::Word);
    }
    merkle::check(compress, root, key, leaf, siblings)
}
