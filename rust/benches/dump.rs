//! Dump text as mariadb-dump writes it: a table of embeddings, of which every quote is escaped, and one of short values.

use std::fmt::Write;
use std::hint::black_box;

use _core::dump::columns::{Batches, Kind};
use _core::dump::scan::{Options, Scan};
use _core::dump::settings::Settings;
use _core::dump::window::Window;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const DIMENSIONS: usize = 1536;

/// One table's dump: its rows, and the statements around them.
struct Dump {
    text: String,
    rows: std::ops::Range<usize>,
    kinds: Vec<&'static str>,
}

fn next(state: &mut u64) -> f32 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
    let uniform = (*state >> 40) as f32 / 16_777_216.0;
    uniform - 0.5
}

fn dump(rows: usize, kinds: Vec<&'static str>, row: impl Fn(&mut String, &mut u64, usize)) -> Dump {
    let mut text = String::from("/*!40101 SET NAMES utf8mb4 */;\nINSERT INTO `chunk` VALUES\n");
    let (start, mut state) = (text.len(), 42);
    for index in 0..rows {
        if index > 0 {
            text.push_str(",\n");
        }
        row(&mut text, &mut state, index);
    }
    let end = text.len();
    text.push_str(";\nUNLOCK TABLES;\n-- Dump completed\n");
    Dump { text, rows: start..end, kinds }
}

fn embeddings() -> Dump {
    dump(128, vec!["text", "text", "text", "text"], |text, state, index| {
        write!(text, "({index},'it\\'s chunk {index} of a document','{{").unwrap();
        for key in 0..DIMENSIONS {
            let comma = if key == 0 { "" } else { "," };
            write!(text, "{comma}\\\"{key}\\\":{}", f64::from(next(state) * 0.09)).unwrap();
        }
        text.push_str("}','2026-01-02 03:04:05')");
    })
}

fn short_values() -> Dump {
    let kinds = vec!["text", "text", "text", "text", "text", "bytes"];
    dump(40_000, kinds, |text, state, index| {
        let price = next(state) * 1000.0;
        write!(text, "({index},'user{index}@example.org','O\\'Neill',NULL,{price:.2},0x{index:032x})")
            .unwrap();
    })
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dump");
    for (name, dump) in [("embeddings", embeddings()), ("short_values", short_values())] {
        group.throughput(Throughput::Bytes(dump.text.len() as u64));
        group.bench_function(format!("{name}/scan"), |bencher| {
            bencher.iter(|| {
                let window = Window::new(black_box(dump.text.as_bytes()), 0, 1).hashing(1);
                let options = Options { end: None, piece_bytes: 1 << 20, with_data: false };
                let mut scan = Scan::new(window, Settings::default(), None, options);
                while let Some(piece) = scan.next_piece().unwrap() {
                    black_box(piece);
                }
            });
        });
        let data = &dump.text.as_bytes()[dump.rows.clone()];
        let wanted: Vec<_> =
            dump.kinds.iter().enumerate().map(|(field, kind)| (field, Kind::parse(kind).unwrap())).collect();
        group.throughput(Throughput::Bytes(data.len() as u64));
        group.bench_function(format!("{name}/columns"), |bencher| {
            bencher.iter(|| {
                let mut batches =
                    Batches::new(0, 1, wanted.len(), wanted.clone(), &Settings::default(), 8 << 20).unwrap();
                while let Some(batch) = batches.next_batch(black_box(data)).unwrap() {
                    black_box(batch);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
