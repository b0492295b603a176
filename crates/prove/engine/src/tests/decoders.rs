//! Damaged texts of pins, manifests and roots are refused or consistent, and never a panic.

use tsz_testkit::damaged_text;

use crate::{Hex, Manifest, Pins};

#[test]
fn roots_have_one_text() {
    let honest = "db38313fd5a1cb67838dc53493cccc62be4cec6c66a0991d1f519021a9be783a";
    assert_eq!(honest.parse::<Hex>().unwrap().to_string(), honest);
    for copy in damaged_text(honest, 5, 1_500) {
        if let Ok(value) = copy.parse::<Hex>() {
            assert_eq!(value.to_string(), copy);
        }
    }
}

#[test]
fn pinned_keys() {
    let honest = include_str!("../../../../../vks.toml");
    let pins = Pins::parse(honest).unwrap();
    for copy in damaged_text(honest, 7, 300) {
        // comments and spaces have no meaning; whatever is read has the pinned keys or is consistent in itself
        if let Ok(read) = Pins::parse(&copy) {
            assert_eq!(read.root(), read.tree().unwrap().root());
            assert!(read == pins || read.root() != pins.root() || read.vks().len() == pins.vks().len());
        }
    }
}

#[test]
fn manifests() {
    let digest = "0".repeat(64);
    let honest = serde_json::json!({
        "version": 2, "system": digest, "vk_root": digest, "first_root": digest, "last_root": digest,
        "bundle_bytes": 10,
        "batches": [{
            "batch": 1, "time": 2, "ops": 3, "params": digest, "s0": digest, "sn": digest, "set_root": digest,
            "leaves": [{ "algorithm": digest, "count": 3, "commitment": digest }],
            "proofs": [{ "circuit": "fund/small", "vk": digest, "ops": 3, "bytes": 9 }],
        }],
    });
    let manifest: Manifest = serde_json::from_value(honest).unwrap();
    let honest = serde_json::to_string_pretty(&manifest).unwrap();
    let mut read = 0;
    for copy in damaged_text(&honest, 8, 3_000) {
        if let Ok(manifest) = serde_json::from_str::<Manifest>(&copy) {
            read += 1;
            let again = serde_json::to_string(&manifest).unwrap();
            assert_eq!(serde_json::from_str::<Manifest>(&again).unwrap(), manifest);
        }
    }
    assert!(read > 20, "{read}");
}
