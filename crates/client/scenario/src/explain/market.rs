//! Markets: prices, premium samples, funding.

use tsz_ledger::{Key, MkfCell, MkoCell, MksCell};
use tsz_risk::funding;
use tsz_risk::oracle::{lower_median, within_deviation};
use tsz_trade::HOUR_MS;
use tsz_trade::ops::{OracleUpdate, PremiumSample};
use tsz_types::MarketId;

use super::Scene;
use crate::figures::{cell, market};
use crate::table::{Table, percent, units};

impl Scene<'_> {
    pub(super) fn oracle(&self, op: &OracleUpdate) -> Vec<Table> {
        let mut reports =
            Table::new("reports", &["signer", "index", "mark", "confidence", "time", "breaker"]);
        for r in &op.reports {
            let numbers = [r.signer.into(), r.index, r.mark, r.confidence].map(|n: u32| n.to_string());
            let [signer, index, mark, confidence] = numbers;
            reports.row([signer, index, mark, confidence, r.ts.to_string(), r.breaker.to_string()]);
        }
        let rules = &self.params.oracle;
        let mut facts = Table::facts("aggregation");
        facts.fact("quorum", format!("{} of {} signers", rules.quorum, rules.signers.len()));
        let Ok(Some((_, old))) = market(&self.before, self.params, op.market) else {
            return vec![reports, facts];
        };
        let breaker = op.reports.iter().all(|r| r.breaker);
        type Price = fn(&tsz_trade::ops::PriceReport) -> u32;
        let prices: [(&str, u32, Price); 2] =
            [("index", old.index, |r| r.index), ("mark", old.mark, |r| r.mark)];
        for (what, old, price) in prices {
            let all: Vec<u32> = op.reports.iter().map(price).collect();
            let Ok(new) = lower_median(&all) else { continue };
            let moved = match old {
                0 => "no price before".to_owned(),
                _ => {
                    let within = within_deviation(old, new, rules.max_deviation.get());
                    let moved =
                        percent((i128::from(new) - i128::from(old)) * 10_000 / i128::from(old), 10_000);
                    let max = percent(rules.max_deviation.get().into(), 10_000);
                    format!(
                        "{old} -> {new}, {moved} of at most {max}: {}",
                        if within { "ok" } else { "too far" }
                    )
                }
            };
            facts.fact(format!("{what}: lower median"), new);
            facts.fact(format!("{what}: move"), moved);
        }
        facts.fact("circuit breaker", breaker);
        let ts = op.reports.iter().map(|r| r.ts.get()).min().unwrap_or(0);
        facts.fact("time: smallest signed", format!("{ts} (before: {})", old.price_ts));
        facts.fact("age", format!("{} ms of at most {}", self.time.saturating_sub(ts), rules.delta));
        vec![reports, facts]
    }

    pub(super) fn premium(&self, op: &PremiumSample) -> Vec<Table> {
        let mut reports = Table::new("reports", &["signer", "premium"]);
        for r in &op.reports {
            reports.row([r.signer.to_string(), percent(r.premium.into(), 1_000_000)]);
        }
        let mut facts = Table::facts("sample");
        let premiums: Vec<i32> = op.reports.iter().map(|r| r.premium).collect();
        if let Ok(median) = lower_median(&premiums) {
            facts.fact("lower median", percent(median.into(), 1_000_000));
        }
        facts.rows.extend(self.samples(op.market));
        vec![reports, facts]
    }

    fn samples(&self, id: MarketId) -> Vec<Vec<String>> {
        let read = |view| cell::<MksCell>(view, Key::mks(id.get().into()));
        let (Ok(before), Ok(after)) = (read(&self.before), read(&self.after)) else { return Vec::new() };
        vec![
            vec!["premium sum".into(), format!("{} -> {}", before.sum, after.sum)],
            vec!["samples".into(), format!("{} -> {} of 60", before.minute, after.minute)],
        ]
    }

    pub(super) fn tick(&self, id: MarketId) -> Vec<Table> {
        let mut table = Table::facts("tick");
        let (Some(params), Ok(Some((_, prices)))) =
            (self.params.perp(id), market(&self.before, self.params, id))
        else {
            return vec![table];
        };
        let index = id.get().into();
        let read = |view| cell::<MkfCell>(view, Key::mkf(index));
        let (Ok(before), Ok(after)) = (read(&self.before), read(&self.after)) else { return vec![table] };
        let interest = cell::<MkoCell>(&self.before, Key::mko(index)).map_or(0, |c| c.open_interest);
        table.fact("hour", format!("{} -> {} (now {})", before.hour, after.hour, self.time / HOUR_MS));
        table.fact("open interest", interest);
        if interest != 0 {
            let sum = cell::<MksCell>(&self.before, Key::mks(index)).map_or(0, |c| c.sum);
            let rules = params.funding();
            let million = |v: i128| percent(v, 1_000_000);
            table.fact("premium sum", sum);
            table.fact("average", million(i128::from(sum) / funding::SAMPLES));
            table.fact("interest rate", million(rules.rate.into()));
            let clamps =
                format!("{} inner, {} outer", million(rules.small.into()), million(rules.big.into()));
            table.fact("clamps", clamps);
            let rate = funding::rate(sum, &rules);
            table.fact("rate of 8 hours", million(rate));
            table.fact("index price", prices.index);
        }
        let moved = i128::from(after.funding.get()) - i128::from(before.funding.get());
        table.fact("F", format!("{} -> {}", before.funding, after.funding));
        table.fact("a long pays per lot", units(moved * i128::from(params.qm.get())));
        vec![table]
    }
}
