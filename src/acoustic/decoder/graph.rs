//! A decoder's ONNX graph for so many pieces at once, and its run over an utterance.

use std::ops::Range;

use prost::bytes::Bytes;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::format_err;

use super::config::DecoderConfig;
use super::tree::PieceTree;
use super::{CrossAttentionCache, PieceTable};
#[cfg(test)]
use crate::acoustic::encoder::Linear;
use crate::acoustic::encoder::{NEW, initial_inputs, optimize, share_weights};
use crate::acoustic::onnx;

const PIECES: &str = "pieces";
const PLACES: &str = "places";
const MASK: &str = "mask";
const LOG_PROBS: &str = "log_probs";
/// What the mask adds to the scores of what is not attended to.
const MASKED: f32 = -10_000.0;

/// The graph, optimized for a number of rows: pieces that it takes at once.
pub(super) struct Graph {
    plan: Arc<TypedRunnableModel>,
    /// Caches as before the first piece, and in the places of the other inputs empty tensors.
    initial_inputs: TVec<TValue>,
    /// The inputs of pieces, their places and the mask.
    given: [usize; 3],
    /// Of each block's keys and values.
    memory: Vec<[usize; 2]>,
    /// For each output the input that its value is for in the next call.
    next_inputs: Vec<Option<usize>>,
    rows: usize,
    /// The rows of a cache.
    left: usize,
    /// The values of a key.
    dim: usize,
    pieces: usize,
}

/// For the inputs of caches their values in the next call.
type Caches = Vec<(usize, TValue)>;

/// A graph that attends to an utterance's memory.
pub(super) struct Run<'a> {
    graph: &'a Graph,
    session: TypedSimpleState,
    inputs: TVec<TValue>,
    /// Keys and values of each node's pieces, by cache; `[nodes, 2 · dim]`.
    rows: Vec<Vec<f32>>,
}

/// Some nodes of a tree that are run at once, and the earlier ones that these follow.
pub(super) struct Scope {
    rows: Range<usize>,
    before: Vec<usize>,
}

impl Graph {
    /// Reads an ONNX file's content and checks its inputs and outputs. Weights are shared with `other`, a
    /// graph of the same file.
    pub fn new(
        onnx: Bytes,
        rows: usize,
        other: Option<&Self>,
        config: &DecoderConfig,
        pieces: &PieceTable,
    ) -> Result<Self, String> {
        let refuse = |e: TractError| format!("not a usable ONNX decoder: {e:#}").replace('\n', " ");
        let (left, dim) = config.looks_back();
        let (model, inputs, outputs) = read(onnx, rows, left).map_err(refuse)?;
        let find = |name: &str| {
            inputs
                .iter()
                .position(|input| input == name)
                .ok_or_else(|| format!("has no input {name}; its inputs are {}", inputs.join(", ")))
        };
        for cache in &config.caches {
            find(&cache.name)?;
        }
        let blocks = inputs.iter().filter(|name| name.starts_with("keys_")).count();
        let memory =
            |block| Ok([find(&format!("keys_{block}"))?, find(&format!("values_{block}"))?]);
        let memory = (0..blocks).map(memory).collect::<Result<_, String>>()?;
        let expected = config.caches.len() + 2 * blocks + 3;
        if inputs.len() != expected {
            let (count, inputs) = (inputs.len(), inputs.join(", "));
            return Err(format!("has {count} inputs, config.json knows {expected}: {inputs}"));
        }
        check_outputs(&model, &outputs, [rows, pieces.len()])?;
        let mut model = optimize(model).map_err(refuse)?;
        if let Some(other) = other {
            share_weights(&mut model, other.plan.model());
        }
        Ok(Self {
            initial_inputs: initial_inputs(&inputs, &config.caches).map_err(refuse)?,
            given: [find(PIECES)?, find(PLACES)?, find(MASK)?],
            memory,
            next_inputs: outputs.iter().map(|o| find(o.strip_prefix(NEW)?).ok()).collect(),
            plan: model.into_runnable().map_err(refuse)?,
            rows,
            left,
            dim,
            pieces: pieces.len(),
        })
    }

    pub fn blocks(&self) -> usize {
        self.memory.len()
    }

    /// The rows of a cache.
    pub fn left(&self) -> usize {
        self.left
    }

    /// The number of pieces.
    pub fn pieces(&self) -> usize {
        self.pieces
    }

    #[cfg(test)]
    pub fn model(&self) -> &TypedModel {
        self.plan.model()
    }

    /// The packings of the weights of its layers.
    #[cfg(test)]
    pub fn packings(&self) -> Vec<String> {
        let layers = self.model().nodes.iter().filter_map(|node| node.op_as::<Linear>());
        layers.map(Linear::packing).collect()
    }

    /// Begins an utterance.
    pub fn begin(&self, memory: &CrossAttentionCache) -> TractResult<Run<'_>> {
        let mut inputs = self.initial_inputs.clone();
        for (block, places) in self.memory.iter().enumerate() {
            for (&input, tensor) in places.iter().zip(memory.of_block(block)?) {
                inputs[input] = tensor.into_tvalue();
            }
        }
        let caches = self.next_inputs.iter().flatten().count();
        let session = TypedSimpleState::new(&self.plan)?;
        Ok(Run { graph: self, session, inputs, rows: vec![Vec::new(); caches] })
    }
}

impl Run<'_> {
    /// Takes the piece after those before, where the graph takes one; gives the log-probabilities of what
    /// may follow.
    pub fn step(&mut self, piece: usize, place: usize) -> TractResult<Vec<f32>> {
        let left = self.graph.left;
        let mut mask = vec![MASKED; left + 1];
        mask[left.saturating_sub(place)..].fill(0.0);
        let mask = Tensor::from_shape(&[1, left + 1], &mask)?;
        let (log_probs, caches) = self.run(&[piece], &[place], mask)?;
        for (input, cache) in caches {
            self.inputs[input] = cache;
        }
        Ok(log_probs)
    }

    /// Takes the next nodes of a tree; gives the log-probabilities of what may follow each.
    pub fn rows(&mut self, tree: &PieceTree, scope: &Scope) -> TractResult<Vec<f32>> {
        let Graph { rows, left, dim, .. } = *self.graph;
        let nodes: Vec<_> = scope.rows().map(|node| tree.node(node)).collect();
        let (mut pieces, mut places) = (vec![0; rows], vec![0; rows]);
        for (row, node) in nodes.iter().enumerate() {
            (pieces[row], places[row]) = (node.piece, node.place);
        }
        let mask = Tensor::from_shape(&[rows, left + rows], &scope.mask(tree, rows, left))?;
        let inputs = self.graph.next_inputs.iter().flatten();
        for (&input, stored) in inputs.zip(&self.rows) {
            let mut cache = vec![0.0; 2 * left * dim];
            for (slot, &node) in scope.before.iter().enumerate() {
                let row = &stored[node * 2 * dim..(node + 1) * 2 * dim];
                cache[slot * dim..(slot + 1) * dim].copy_from_slice(&row[..dim]);
                let values = (left + slot) * dim;
                cache[values..values + dim].copy_from_slice(&row[dim..]);
            }
            self.inputs[input] = Tensor::from_shape(&[2, left, dim], &cache)?.into_tvalue();
        }
        let (mut log_probs, caches) = self.run(&pieces, &places, mask)?;
        for (stored, (_, cache)) in self.rows.iter_mut().zip(caches) {
            let cache = cache.try_as_plain_ram()?;
            let (keys, values) = cache.as_slice::<f32>()?.split_at(left * dim);
            // The newest rows are last; all of them fit, since no text is longer than a cache.
            for row in 0..nodes.len() {
                let place = (left - rows + row) * dim;
                stored.extend_from_slice(&keys[place..place + dim]);
                stored.extend_from_slice(&values[place..place + dim]);
            }
        }
        log_probs.truncate(nodes.len() * self.graph.pieces);
        Ok(log_probs)
    }

    /// Gives the log-probabilities, and for each cache's input its value in the next call.
    fn run(
        &mut self,
        pieces: &[usize],
        places: &[usize],
        mask: Tensor,
    ) -> TractResult<(Vec<f32>, Caches)> {
        let integers =
            |values: &[usize]| tensor1(&values.iter().map(|&v| v as i64).collect::<Vec<_>>());
        let mut inputs = self.inputs.clone();
        for (&input, tensor) in
            self.graph.given.iter().zip([integers(pieces), integers(places), mask])
        {
            inputs[input] = tensor.into_tvalue();
        }
        let (mut log_probs, mut caches) = (None, Vec::new());
        for (value, next) in
            onnx::run(&mut self.session, inputs)?.into_iter().zip(&self.graph.next_inputs)
        {
            match next {
                Some(input) => caches.push((*input, value)),
                None => log_probs = Some(value),
            }
        }
        let log_probs = log_probs.ok_or_else(|| format_err!("it gave no {LOG_PROBS}"))?;
        Ok((log_probs.try_as_plain_ram()?.as_slice()?.to_vec(), caches))
    }
}

impl Scope {
    /// The nodes from `from` on that a graph can take at once.
    pub fn of(tree: &PieceTree, from: usize, rows: usize, left: usize) -> Self {
        let mut before: Vec<usize> = Vec::new();
        let mut end = from;
        while end < tree.len() && end - from < rows {
            let more: Vec<usize> =
                tree.path(end).filter(|node| *node < from && !before.contains(node)).collect();
            if before.len() + more.len() > left && end > from {
                break;
            }
            before.extend(more);
            end += 1;
        }
        // Only where a text is longer than what the graph looks back on.
        before.truncate(left);
        Self { rows: from..end, before }
    }

    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// For each row what it attends to: of the caches' rows and these.
    fn mask(&self, tree: &PieceTree, rows: usize, left: usize) -> Vec<f32> {
        let mut mask = vec![MASKED; rows * (left + rows)];
        for (row, masked) in mask.chunks_exact_mut(left + rows).enumerate() {
            masked[left + row] = 0.0;
            let Some(node) = self.rows().nth(row) else { continue };
            for before in tree.path(node) {
                let slot = match before.checked_sub(self.rows.start) {
                    Some(row) => Some(left + row),
                    None => self.before.iter().position(|&node| node == before),
                };
                if let Some(slot) = slot {
                    masked[slot] = 0.0;
                }
            }
        }
        mask
    }
}

fn check_outputs(model: &TypedModel, outputs: &[String], size: [usize; 2]) -> Result<(), String> {
    let Some(place) = outputs.iter().position(|output| output == LOG_PROBS) else {
        return Err(format!("has no output {LOG_PROBS}; its outputs are {}", outputs.join(", ")));
    };
    let fact = model.output_fact(place).map_err(|e| format!("output {LOG_PROBS}: {e:#}"))?;
    let [rows, pieces] = size;
    if fact.shape.as_concrete() != Some(&[1, rows, pieces]) {
        return Err(format!(
            "output {LOG_PROBS} has the shape {:?}; the model's other files say [1, {rows}, {pieces}] (lines of pieces.txt)",
            fact.shape
        ));
    }
    Ok(())
}

/// Gives the typed graph and the names of its inputs and outputs.
fn read(
    file: Bytes,
    rows: usize,
    left: usize,
) -> TractResult<(TypedModel, Vec<String>, Vec<String>)> {
    let framework = tract_onnx::onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
    let proto = onnx::decode(file)?;
    let graph = proto.graph.as_ref();
    let outputs = graph.into_iter().flat_map(|g| &g.output).map(|o| o.name.clone()).collect();
    let mut model = framework.model_for_proto_model(&proto)?;
    drop(proto);
    let inputs: Vec<String> =
        model.input_outlets()?.iter().map(|i| model.node(i.node).name.clone()).collect();
    for (index, name) in inputs.iter().enumerate() {
        let fact = match &**name {
            PIECES | PLACES => InferenceFact::dt_shape(i64::datum_type(), [rows]),
            MASK => InferenceFact::dt_shape(f32::datum_type(), [rows, left + rows]),
            _ => continue,
        };
        model.set_input_fact(index, fact)?;
    }
    Ok((onnx::infer_types(model)?, inputs, outputs))
}
