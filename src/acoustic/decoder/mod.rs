//! The attention decoder, run by tract: what an utterance says, one piece after the other, and how
//! likely given texts are (arXiv 2212.04356).
//!
//! Its encoder gives, for each of its frames, the keys and values that every block of the decoder
//! attends to; the graph takes pieces and gives what may follow each.

mod config;
mod cross_attention_cache;
mod graph;
mod piece_table;
mod tree;

pub(crate) use config::DecoderConfig;

use std::path::Path;
use std::sync::Arc;

use prost::bytes::Bytes;
use tract_onnx::prelude::*;

use crate::error::{Error, Result};

pub(crate) use cross_attention_cache::CrossAttentionCache;
use graph::{Graph, Scope};
pub(crate) use piece_table::PieceTable;
use tree::PieceTree;

/// The pieces of texts that are scored at once: enough for the weights to be read seldom.
const ROWS: usize = 32;

/// A decoder's weights. Cheap to clone, and shared between streams and threads.
#[derive(Clone)]
pub(crate) struct Decoder(Arc<Graphs>);

struct Graphs {
    /// Takes one piece.
    step: Graph,
    /// Takes [`ROWS`] pieces.
    rows: Graph,
    /// The pieces given before the first of a text.
    start: Vec<usize>,
    end: usize,
}

impl Decoder {
    /// Reads an ONNX file's content and checks its inputs and outputs; `path` is for errors.
    pub fn new(
        onnx: Bytes,
        config: &DecoderConfig,
        pieces: &PieceTable,
        path: &Path,
    ) -> Result<Self> {
        let bytes = onnx.len();
        let step = Graph::new(onnx.clone(), 1, None, config, pieces)
            .map_err(|reason| Error::model(path, reason))?;
        let rows = Graph::new(onnx, ROWS, Some(&step), config, pieces)
            .map_err(|reason| Error::model(path, reason))?;
        log::info!("decoder: {}, {bytes} bytes, {} blocks", path.display(), step.blocks());
        let (start, end) = (config.start.clone(), config.end);
        Ok(Self(Arc::new(Graphs { step, rows, start, end })))
    }

    /// The blocks whose keys and values a [`CrossAttentionCache`] has.
    pub fn blocks(&self) -> usize {
        self.0.step.blocks()
    }

    /// The piece after a text's last.
    pub fn end(&self) -> usize {
        self.0.end
    }

    /// The likeliest piece after the likeliest, each with its natural log-probability, up to the end's
    /// or so many; those of the start and the end are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Encoder`] if the graph can't be run.
    pub fn write(&self, memory: &CrossAttentionCache, most: usize) -> Result<Vec<(usize, f32)>> {
        self.try_write(memory, most).map_err(|e| Error::Encoder(e.into()))
    }

    /// The natural log-probability of each piece of texts after those before it; a text that is whole has
    /// the end's piece last. What texts have in common is computed once.
    ///
    /// # Errors
    ///
    /// Those of [`Decoder::write`].
    pub fn score(
        &self,
        memory: &CrossAttentionCache,
        texts: &[Vec<usize>],
    ) -> Result<Vec<Vec<f32>>> {
        self.try_score(memory, texts).map_err(|e| Error::Encoder(e.into()))
    }

    fn try_write(
        &self,
        memory: &CrossAttentionCache,
        most: usize,
    ) -> TractResult<Vec<(usize, f32)>> {
        let Graphs { step, start, end, .. } = &*self.0;
        let mut run = step.begin(memory)?;
        let mut written: Vec<(usize, f32)> = Vec::new();
        for place in 0..start.len() + most {
            let piece = match place.checked_sub(start.len()) {
                Some(index) => written[index].0,
                None => start[place],
            };
            let log_probs = run.step(piece, place)?;
            if place + 1 < start.len() {
                continue;
            }
            let next = self.likeliest(&log_probs, written.is_empty());
            if next.0 == *end {
                break;
            }
            written.push(next);
        }
        written.truncate(most);
        Ok(written)
    }

    fn try_score(
        &self,
        memory: &CrossAttentionCache,
        texts: &[Vec<usize>],
    ) -> TractResult<Vec<Vec<f32>>> {
        let Graphs { rows, start, .. } = &*self.0;
        let mut tree = PieceTree::new(start);
        let places: Vec<Vec<usize>> = texts.iter().map(|text| tree.insert(text)).collect();
        let mut scores: Vec<Vec<f32>> =
            texts.iter().map(|text| Vec::with_capacity(text.len())).collect();
        // For each node the texts' pieces that follow it, in any order: text, place in it.
        let mut wanted: Vec<Vec<(usize, usize)>> = vec![Vec::new(); tree.len()];
        for (text, places) in places.iter().enumerate() {
            scores[text].resize(places.len(), 0.0);
            places.iter().enumerate().for_each(|(at, &node)| wanted[node].push((text, at)));
        }
        let mut run = rows.begin(memory)?;
        let mut from = 0;
        while from < tree.len() {
            let scope = Scope::of(&tree, from, ROWS, rows.left());
            let log_probs = run.rows(&tree, &scope)?;
            let of_node = log_probs.chunks_exact(rows.pieces());
            for (wanted, log_probs) in wanted[scope.rows()].iter().zip(of_node) {
                for &(text, at) in wanted {
                    scores[text][at] = log_probs[texts[text][at]];
                }
            }
            from = scope.rows().end;
        }
        Ok(scores)
    }

    /// The likeliest piece that may follow: none of the start's, and at first not the end's.
    fn likeliest(&self, log_probs: &[f32], is_first: bool) -> (usize, f32) {
        let Graphs { start, end, .. } = &*self.0;
        let mut best = (*end, f32::NEG_INFINITY);
        for (piece, &log_prob) in log_probs.iter().enumerate() {
            let may_not = start.contains(&piece) || is_first && piece == *end;
            if log_prob > best.1 && !may_not {
                best = (piece, log_prob);
            }
        }
        best
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Decoder>();
};

#[cfg(all(test, repository))]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::acoustic::encoder::places;

    const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/random-decoder/");

    fn read(file: &str) -> Vec<u8> {
        std::fs::read(format!("{DIR}{file}")).unwrap()
    }

    fn config() -> DecoderConfig {
        let config: Value = serde_json::from_slice(&read("config.json")).unwrap();
        serde_json::from_value(config["decoder"].clone()).unwrap()
    }

    fn pieces() -> PieceTable {
        PieceTable::parse(&String::from_utf8(read("pieces.txt")).unwrap()).unwrap()
    }

    fn load(config: &DecoderConfig, pieces: &PieceTable) -> Result<Decoder> {
        Decoder::new(read("decoder.int8.onnx").into(), config, pieces, Path::new("d.onnx"))
    }

    fn numbers(value: &Value) -> Vec<f32> {
        value.as_array().unwrap().iter().map(|n| n.as_f64().unwrap() as f32).collect()
    }

    /// One after the other, so that nothing is left of the utterance before.
    #[test]
    fn pieces_and_log_probs_are_those_of_onnx_runtime() {
        let decoder = load(&config(), &pieces()).unwrap();
        let golden: Value = serde_json::from_slice(&read("golden.json")).unwrap();
        for utterance in golden.as_array().unwrap() {
            let rows: Vec<_> = utterance["rows"].as_array().unwrap().iter().map(numbers).collect();
            let mut memory =
                CrossAttentionCache::new(rows[0].len(), decoder.blocks(), config().heads);
            rows.iter().for_each(|row| memory.extend(row));
            let expected: Vec<_> =
                utterance["written"].as_array().unwrap().iter().map(numbers).collect();
            let written = decoder.write(&memory, expected.len()).unwrap();
            assert_eq!(written.len(), expected.len());
            for ((piece, log_prob), expected) in written.into_iter().zip(&expected) {
                assert_eq!(piece as f32, expected[0]);
                assert!((log_prob - expected[1]).abs() < 0.1, "{log_prob}, {expected:?}");
            }
        }
    }

    /// The scores of texts at once, whole and cut, against those of one after the other; one is too long to be
    /// taken at once.
    #[test]
    fn texts_are_scored_as_they_are_written() {
        let decoder = load(&config(), &pieces()).unwrap();
        let golden: Value = serde_json::from_slice(&read("golden.json")).unwrap();
        let rows: Vec<_> = golden[0]["rows"].as_array().unwrap().iter().map(numbers).collect();
        let mut memory = CrossAttentionCache::new(rows[0].len(), decoder.blocks(), config().heads);
        rows.iter().for_each(|row| memory.extend(row));
        let written = decoder.write(&memory, 70).unwrap();
        let text: Vec<usize> = written.iter().map(|&(piece, _)| piece).collect();
        let mut other = text[..20].to_vec();
        other[10] = (other[10] + 1) % 50 + 3;
        let texts = [text.clone(), other.clone(), text[..5].to_vec(), vec![], other[..11].to_vec()];
        let scores = decoder.score(&memory, &texts).unwrap();
        for (text, scores) in texts.iter().zip(&scores) {
            assert_eq!(text.len(), scores.len());
        }
        let is_near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
        let expected: Vec<f32> = written.iter().map(|&(_, log_prob)| log_prob).collect();
        assert!(is_near(&scores[0], &expected), "{:?}, {expected:?}", scores[0]);
        assert!(is_near(&scores[1][..10], &scores[0][..10]));
        assert!(scores[1][10] < scores[0][10] && !is_near(&scores[1][12..], &scores[0][12..]));
        assert!(is_near(&scores[2], &scores[0]) && is_near(&scores[4], &scores[1]));
    }

    /// Another export, or another tract, may give a graph that the rewriting does not recognize.
    #[test]
    fn attention_to_the_memory_is_fused() {
        let decoder = load(&config(), &pieces()).unwrap();
        let nodes = &decoder.0.step.model().nodes;
        let count = |name: &str| nodes.iter().filter(|node| node.op.name() == name).count();
        assert_eq!(count("CrossAttention"), decoder.blocks());
        assert_eq!(count("Attention"), decoder.blocks());
        assert_eq!(count("EinSum"), 0);
    }

    /// A table of pieces has tens of megabytes.
    #[test]
    fn both_graphs_read_the_same_weights() {
        let decoder = load(&config(), &pieces()).unwrap();
        let [step, rows] = [&decoder.0.step, &decoder.0.rows].map(|graph| places(graph.model()));
        assert!(step.len() > 10, "{step:?}");
        let shared = step.keys().filter(|place| rows.contains_key(place)).count();
        eprintln!("{shared} of {} and {} are shared", step.len(), rows.len());
        // Processors with dot products of 8-bit integers have kernels of other packings for one piece.
        let has_one_packing = decoder.0.step.packings() == decoder.0.rows.packings();
        assert!(!has_one_packing || shared == rows.len(), "{shared} of {}", rows.len());
    }

    #[test]
    fn graphs_that_contradict_the_other_files_are_refused() {
        let error = |config, pieces| load(&config, &pieces).err().unwrap().to_string();
        let fewer = PieceTable::parse("a\nb").unwrap();
        assert!(error(config(), fewer).ends_with("say [1, 1, 2] (lines of pieces.txt)"));
        let mut other = config();
        other.caches[0].name = "state".to_owned();
        assert!(
            error(other, pieces())
                .starts_with("d.onnx: has no input state; its inputs are pieces, ")
        );
        let mut fewer = config();
        fewer.caches.truncate(1);
        let message = error(fewer, pieces());
        assert!(message.starts_with("d.onnx: has 9 inputs, config.json knows 8: "), "{message}");
        let not_onnx = Decoder::new(vec![1, 2].into(), &config(), &pieces(), Path::new("d.onnx"));
        assert!(
            not_onnx.err().unwrap().to_string().starts_with("d.onnx: not a usable ONNX decoder")
        );
    }
}
