//! The benchmark, as a program. What it measures is nobody's to assert; that it measures is.

use std::process::{Command, Output};

use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_millrace"));
    bench.args(["bench", "--quick", "--rounds", "1", "--json", "-"]).args(arguments);
    bench.env_remove("AWS_ENDPOINT_URL_SQS").output().expect("the program starts")
}

#[test]
fn a_quick_benchmark_measures_every_side_and_compares_the_engine_with_the_floor() {
    let output = bench(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let figures: Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    let sides = figures["sides"].as_array().expect("sides");
    let names: Vec<_> = sides.iter().filter_map(|side| side["side"].as_str()).collect();
    let expected = ["floor", "engine", "empty_streams", "tick_memory", "tick_postgres"];
    assert_eq!(names, [&expected[..], &["next_stream", "next_stream_in_history"]].concat());
    for side in sides {
        let figures = side["figures"].as_array().expect("figures");
        assert!(figures.iter().all(|figure| figure["median"].as_f64() > Some(0.0)), "{side:#}");
    }
    assert!(figures["engine_against_floor"][0]["median"].as_f64() > Some(0.0), "{figures:#}");
    assert!(said.contains("of the floor's records/s"), "the table is shown beside:\n{said}");
}

/// Blocks, unlike time, are the same on every machine.
#[test]
fn the_next_stream_touches_few_blocks_whatever_has_been_before_it() {
    let output = bench(&["--only", "next-stream-in-history"]);
    let figures: Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    let figures = figures["sides"][0]["figures"].as_array().expect("figures");
    let blocks = figures.iter().filter(|figure| figure["name"].to_string().contains("blocks"));
    let blocks: Vec<f64> = blocks.filter_map(|figure| figure["median"].as_f64()).collect();
    assert!(blocks.len() == 2 && blocks.iter().all(|blocks| *blocks < 100.0), "{figures:#?}");
}

#[test]
fn a_side_that_cannot_be_measured_is_an_error_with_its_last_words() {
    let output = bench(&["--only", "tick-sqs"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("AWS_ENDPOINT_URL_SQS is not set"), "{said}");
}
