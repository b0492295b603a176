//! The choice, on estimates and on shapes of tables.

use super::*;

fn estimate(profile: Profile, prove: u64, lift: u64) -> Estimate {
    Estimate { profile, queries: 0, permutations: 0, prove, lift }
}

fn choice(costs: [(u64, u64); 3]) -> Option<Profile> {
    let of = |(k, (prove, lift))| estimate([Profile::Base, Profile::Base4, Profile::Base8][k], prove, lift);
    Estimate::cheapest(costs.into_iter().enumerate().map(of)).map(|e| e.profile)
}

#[test]
fn the_least_sum_is_taken_and_a_tie_is_the_cheaper_prover() {
    assert_eq!(choice([(1, 8_500), (2, 4_200), (3, 2_100)]), Some(Profile::Base8));
    assert_eq!(choice([(24_000, 36_000), (39_000, 16_000), (62_000, 16_000)]), Some(Profile::Base4));
    // A sixteenth of the sum is what a dearer prover has to save.
    assert_eq!(choice([(100, 60), (110, 40), (120, 40)]), Some(Profile::Base));
    assert_eq!(choice([(100, 60), (110, 39), (120, 40)]), Some(Profile::Base4));
    assert_eq!(Estimate::cheapest([]), None);
}

/// A table of permutations, as all circuits have one.
fn table(log_height: usize, width: usize) -> TableInfo {
    TableInfo {
        name: "table".into(),
        log_height,
        width,
        preprocessed_width: 0,
        aux_width: width / 5,
        public_values: 0,
        constraints: width,
        degree: 3,
        quotient_chunks: 2,
        interactions: width / 20,
        max_message_width: 24,
        main_next: false,
        preprocessed_next: false,
    }
}

fn chosen(tables: &[TableInfo]) -> Estimate {
    let all = BASE.iter().filter_map(|profile| Estimate::of(*profile, tables));
    Estimate::cheapest(all).unwrap()
}

#[test]
fn tall_tables_have_a_low_blow_up_and_small_ones_a_high_one() {
    let profiles = [8, 12, 15, 17, 20].map(|log| chosen(&vec![table(log, 300); 6]).profile);
    let place = |p: &Profile| BASE.iter().position(|q| p == q).unwrap();
    assert!(profiles.windows(2).all(|pair| place(&pair[0]) >= place(&pair[1])), "{profiles:?}");
    assert_eq!(profiles[4], Profile::Base);
    // One narrow table has the smallest lift at blow-up 2 already.
    assert_eq!(chosen(&[table(8, 30)]).profile, Profile::Base);
}

/// Where only unique decoding proves 100 bits, blow-up 16 takes more queries than 8, and is dearer in all respects.
#[test]
fn a_blow_up_that_needs_more_queries_is_not_taken() {
    let wide = vec![table(16, 1), table(10, 9_000)];
    let of = |profile| Estimate::of(profile, &wide).unwrap();
    let (eight, sixteen) = (of(Profile::Base8), of(Profile::Base16));
    println!("{eight:?} {sixteen:?}");
    assert!(sixteen.queries > eight.queries && sixteen.permutations > eight.permutations);
    assert!(sixteen.prove > eight.prove && sixteen.lift >= eight.lift);
    let ground = of(Profile::Base8Ground);
    assert!(ground.queries < eight.queries, "{ground:?}");
    assert_ne!(chosen(&wide).profile, Profile::Base16);
}

#[test]
fn an_estimate_takes_the_fewest_queries_that_prove_the_bits() {
    let tables = vec![table(14, 300); 3];
    for profile in BASE {
        let estimate = Estimate::of(profile, &tables).unwrap();
        let params = with_fewest_queries(profile.params(), &tables, MIN_PROVEN_BITS).unwrap();
        assert_eq!(estimate.queries, params.num_queries);
        assert!(profile.is_base() && !profile.is_insecure());
    }
    let many = vec![TableInfo { log_height: 26, width: 1 << 20, ..table(26, 1) }; 4];
    assert_eq!(Estimate::of(Profile::Base8, &many), None);
}
