//! Rows of 1,536 components as JavaScript and Python write them, read one after the other.

use std::fmt::Write;
use std::hint::black_box;

use _core::embedding::Parser;
use _core::wire;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const DIMENSIONS: usize = 1536;
const ROWS: usize = 64;

/// A component of a random unit vector, near enough: float32 values around zero from a linear congruence.
fn component(state: &mut u64) -> f32 {
    let mut sum = 0.0;
    for _ in 0..4 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
        let uniform = (*state >> 40) as f32 / 16_777_216.0;
        sum += uniform - 0.5;
    }
    sum * 0.045
}

fn rows(open: char, close: char, key: impl Fn(usize) -> String, separator: &str) -> Vec<String> {
    let mut state = 42;
    let mut row = || {
        let mut text = String::from(open);
        for index in 0..DIMENSIONS {
            let comma = if index == 0 { "" } else { separator };
            write!(text, "{comma}{}{}", key(index), f64::from(component(&mut state))).unwrap();
        }
        text.push(close);
        text
    };
    (0..ROWS).map(|_| row()).collect()
}

fn parse(criterion: &mut Criterion) {
    let shapes = [
        ("object", rows('{', '}', |index| format!("\"{index}\":"), ",")),
        ("object_spaced", rows('{', '}', |index| format!("\"{index}\": "), ", ")),
        ("object_reversed", rows('{', '}', |index| format!("\"{}\":", DIMENSIONS - 1 - index), ",")),
        ("array", rows('[', ']', |_| String::new(), ",")),
    ];
    let mut group = criterion.benchmark_group("parse");
    for (name, rows) in &shapes {
        group.throughput(Throughput::Bytes(rows.iter().map(|row| row.len() as u64).sum()));
        let mut parser = Parser::new();
        let mut values = vec![0.0_f32; DIMENSIONS];
        group.bench_function(format!("{name}/float32"), |bencher| {
            bencher.iter(|| {
                for row in rows {
                    parser.read(black_box(row.as_bytes()), &mut values, |value| value).unwrap();
                }
            });
        });
        let mut words = vec![0_u32; DIMENSIONS];
        group.bench_function(format!("{name}/wire"), |bencher| {
            bencher.iter(|| {
                for row in rows {
                    parser.read(black_box(row.as_bytes()), &mut words, wire::component).unwrap();
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
