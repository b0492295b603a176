//! Columns of the table.

use tsz_air::columns;

use super::ROUNDS;

columns! {
    /// Four rounds, or a state. Bits are boolean, the lowest first; halves are (lower, upper).
    pub struct Sha256Cols {
        /// Register a after each round; on the first and last row h_3, h_2, h_1, h_0.
        a: [32; ROUNDS],
        /// Register e after each round; on the first and last row h_7, h_6, h_5, h_4.
        e: [32; ROUNDS],
        /// Message words.
        w: [32; ROUNDS],
        /// h + S1(e) + ch + K + w by halves, before carries; constrained.
        t1: [2; ROUNDS],
        /// S0(a) + maj by halves, before carries; constrained.
        t2: [2; ROUNDS],
        /// Sum of the schedule by halves, before carries; constrained.
        schedule: [2; ROUNDS],
        /// Carries of e out of each half: three bits each; on the last row those of h_out.
        carry_e: [6; ROUNDS],
        /// Carries of a out of each half, plus one: two bits each.
        carry_a: [4; ROUNDS],
        /// Carries of the schedule out of each half: two bits each.
        carry_w: [4; ROUNDS],
        /// What rows before this one add to the words of the next row.
        pending_1: [2; ROUNDS],
        /// To the words two rows later.
        pending_2: [2; ROUNDS],
        /// To the words three rows later.
        pending_3: [2; ROUNDS],
        /// h_in of the block: halves in the order of bytes.
        h_in: [16],
        /// Lookups of what the row provides; any value where it provides something, else 0.
        uses,
    }
}

columns! {
    /// Fixed columns.
    pub struct Sha256Fixed {
        /// Number of the block.
        id,
        /// 1 on the first row.
        is_init,
        /// 1 on rounds.
        is_round,
        /// 1 on rounds whose words are the schedule's.
        is_schedule,
        /// 1 on rounds whose words are the message's.
        is_words,
        /// 1 on the last row.
        is_out,
        /// Number of the row's words over four, where `is_words`.
        words,
        /// Round constants by halves.
        k: [2; ROUNDS],
    }
}
