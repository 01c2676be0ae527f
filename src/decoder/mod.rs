//! The attention decoder, run by tract: what an utterance was heard to say, one piece after the other
//! (arXiv 2212.04356).
//!
//! Its encoder gives, for each of its frames, the keys and values that every block of the decoder
//! attends to; the graph takes a piece and gives what the next may be.

mod memory;
mod pieces;

use std::path::Path;
use std::sync::Arc;

use prost::Message;
use prost::bytes::Bytes;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::format_err;

use crate::encoder::{NEW, initial_inputs, optimize};
use crate::model::DecoderConfig;
use crate::{Error, Result};

pub(crate) use memory::Memory;
pub(crate) use pieces::Pieces;

const PIECE: &str = "piece";
const PLACE: &str = "place";
const LOG_PROBS: &str = "log_probs";

/// A decoder's weights. Cheap to clone, and shared between streams and threads.
#[derive(Clone)]
pub(crate) struct Decoder(Arc<Graph>);

struct Graph {
    plan: Arc<TypedRunnableModel>,
    /// Caches as before the first piece, and in the places of the other inputs empty tensors.
    initial_inputs: TVec<TValue>,
    piece: usize,
    place: usize,
    /// Of each block's keys and values.
    memory: Vec<[usize; 2]>,
    /// For each output the input that its value is for in the next call.
    next_inputs: Vec<Option<usize>>,
    /// The pieces given before the first that is heard.
    start: Vec<usize>,
    end: usize,
}

impl Decoder {
    /// Reads an ONNX file's content and checks its inputs and outputs; `path` is for errors.
    pub fn new(onnx: Bytes, config: &DecoderConfig, pieces: &Pieces, path: &Path) -> Result<Self> {
        let refuse = |e: TractError| {
            Error::model(path, format!("not a usable ONNX decoder: {e:#}").replace('\n', " "))
        };
        let bytes = onnx.len();
        let (model, inputs, outputs) = read(onnx).map_err(refuse)?;
        let find = |name: &str| {
            inputs.iter().position(|input| input == name).ok_or_else(|| {
                let inputs = inputs.join(", ");
                Error::model(path, format!("has no input {name}; its inputs are {inputs}"))
            })
        };
        for cache in &config.caches {
            find(&cache.name)?;
        }
        let blocks = inputs.iter().filter(|name| name.starts_with("keys_")).count();
        let memory =
            |block| Ok([find(&format!("keys_{block}"))?, find(&format!("values_{block}"))?]);
        let memory = (0..blocks).map(memory).collect::<Result<_>>()?;
        let expected = config.caches.len() + 2 * blocks + 2;
        if inputs.len() != expected {
            let (count, inputs) = (inputs.len(), inputs.join(", "));
            let reason = format!("has {count} inputs, config.json knows {expected}: {inputs}");
            return Err(Error::model(path, reason));
        }
        check_outputs(&model, &outputs, pieces.len())
            .map_err(|reason| Error::model(path, reason))?;
        let graph = Graph {
            initial_inputs: initial_inputs(&inputs, &config.caches).map_err(refuse)?,
            piece: find(PIECE)?,
            place: find(PLACE)?,
            memory,
            next_inputs: outputs.iter().map(|o| find(o.strip_prefix(NEW)?).ok()).collect(),
            start: config.start.clone(),
            end: config.end,
            plan: optimize(model).and_then(TypedModel::into_runnable).map_err(refuse)?,
        };
        log::info!("decoder: {}, {bytes} bytes, {blocks} blocks", path.display());
        Ok(Self(Arc::new(graph)))
    }

    /// The blocks whose keys and values a [`Memory`] has.
    pub fn blocks(&self) -> usize {
        self.0.memory.len()
    }

    /// The likeliest piece after the likeliest, each with its natural log-probability, up to the end's
    /// or so many; those of the start and the end are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Encoder`] if the graph can't be run.
    pub fn write(&self, memory: &Memory, most: usize) -> Result<Vec<(usize, f32)>> {
        self.try_write(memory, most).map_err(Error::Encoder)
    }

    fn try_write(&self, memory: &Memory, most: usize) -> TractResult<Vec<(usize, f32)>> {
        let graph = &*self.0;
        let mut session = TypedSimpleState::new(&graph.plan)?;
        let mut caches = graph.initial_inputs.clone();
        for (block, inputs) in graph.memory.iter().enumerate() {
            for (&input, tensor) in inputs.iter().zip(memory.of_block(block)?) {
                caches[input] = tensor.into_tvalue();
            }
        }
        let mut pieces: Vec<(usize, f32)> = Vec::new();
        for place in 0..graph.start.len() + most {
            let piece = match place.checked_sub(graph.start.len()) {
                Some(written) => pieces[written].0,
                None => graph.start[place],
            };
            let mut inputs = caches.clone();
            inputs[graph.piece] = tensor1(&[piece as i64]).into_tvalue();
            inputs[graph.place] = tensor1(&[place as i64]).into_tvalue();
            let mut log_probs = None;
            for (value, next) in session.run(inputs)?.into_iter().zip(&graph.next_inputs) {
                match next {
                    Some(input) => caches[*input] = value,
                    None => log_probs = Some(value),
                }
            }
            if place + 1 < graph.start.len() {
                continue;
            }
            let log_probs = log_probs.ok_or_else(|| format_err!("it gave no {LOG_PROBS}"))?;
            let log_probs = log_probs.try_as_plain_ram()?.as_slice()?;
            let next = graph.likeliest(log_probs, pieces.is_empty());
            if next.0 == graph.end {
                break;
            }
            pieces.push(next);
        }
        pieces.truncate(most);
        Ok(pieces)
    }
}

impl Graph {
    /// The likeliest piece that may follow: none of the start's, and at first not the end's.
    fn likeliest(&self, log_probs: &[f32], is_first: bool) -> (usize, f32) {
        let mut best = (self.end, f32::NEG_INFINITY);
        for (piece, &log_prob) in log_probs.iter().enumerate() {
            let may_not = self.start.contains(&piece) || is_first && piece == self.end;
            if log_prob > best.1 && !may_not {
                best = (piece, log_prob);
            }
        }
        best
    }
}

fn check_outputs(model: &TypedModel, outputs: &[String], pieces: usize) -> Result<(), String> {
    let Some(place) = outputs.iter().position(|output| output == LOG_PROBS) else {
        return Err(format!("has no output {LOG_PROBS}; its outputs are {}", outputs.join(", ")));
    };
    let fact = model.output_fact(place).map_err(|e| format!("output {LOG_PROBS}: {e:#}"))?;
    if fact.shape.as_concrete() != Some(&[1, 1, pieces]) {
        return Err(format!(
            "output {LOG_PROBS} has the shape {:?}; the model's other files say [1, 1, {pieces}] (lines of pieces.txt)",
            fact.shape
        ));
    }
    Ok(())
}

/// Gives the typed graph and the names of its inputs and outputs.
fn read(onnx: Bytes) -> TractResult<(TypedModel, Vec<String>, Vec<String>)> {
    let framework = tract_onnx::onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
    let proto = ModelProto::decode(onnx)?;
    let graph = proto.graph.as_ref();
    let outputs = graph.into_iter().flat_map(|g| &g.output).map(|o| o.name.clone()).collect();
    let model = framework.model_for_proto_model(&proto)?;
    let inputs = model.input_outlets()?.iter().map(|i| model.node(i.node).name.clone()).collect();
    Ok((model.into_typed()?, inputs, outputs))
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Decoder>();
};

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/random-decoder/");

    fn read(file: &str) -> Vec<u8> {
        std::fs::read(format!("{DIR}{file}")).unwrap()
    }

    fn config() -> DecoderConfig {
        let config: Value = serde_json::from_slice(&read("config.json")).unwrap();
        serde_json::from_value(config["decoder"].clone()).unwrap()
    }

    fn pieces() -> Pieces {
        Pieces::parse(&String::from_utf8(read("pieces.txt")).unwrap()).unwrap()
    }

    fn load(config: &DecoderConfig, pieces: &Pieces) -> Result<Decoder> {
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
            let mut memory = Memory::new(rows[0].len(), decoder.blocks(), config().heads);
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

    /// Another export, or another tract, may give a graph that the rewriting does not recognize.
    #[test]
    fn attention_to_the_memory_is_fused() {
        let decoder = load(&config(), &pieces()).unwrap();
        let nodes = &decoder.0.plan.model().nodes;
        let count = |name: &str| nodes.iter().filter(|node| node.op.name() == name).count();
        assert_eq!(count("CrossAttention"), decoder.blocks());
        assert_eq!(count("EinSum"), 0);
    }

    #[test]
    fn graphs_that_contradict_the_other_files_are_refused() {
        let error = |config, pieces| load(&config, &pieces).err().unwrap().to_string();
        let fewer = Pieces::parse("a\nb").unwrap();
        assert!(error(config(), fewer).ends_with("say [1, 1, 2] (lines of pieces.txt)"));
        let mut other = config();
        other.caches[0].name = "mask".to_owned();
        assert!(
            error(other, pieces()).starts_with("d.onnx: has no input mask; its inputs are piece, ")
        );
        let mut fewer = config();
        fewer.caches.truncate(1);
        let message = error(fewer, pieces());
        assert!(message.starts_with("d.onnx: has 9 inputs, config.json knows 7: "), "{message}");
        let not_onnx = Decoder::new(vec![1, 2].into(), &config(), &pieces(), Path::new("d.onnx"));
        assert!(
            not_onnx.err().unwrap().to_string().starts_with("d.onnx: not a usable ONNX decoder")
        );
    }
}
