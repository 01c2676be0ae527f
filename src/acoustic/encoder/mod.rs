//! The acoustic model, run by tract: a chunk of log-mel frames to log-probabilities of tokens.
//!
//! [`Encoder`] holds the weights and is shared; [`EncoderState`] holds one stream's caches. Every
//! shape is fixed when the model is loaded: the file may leave the number of frames open.

mod attention;
mod config;
mod cross_attention;
mod depthwise;
mod fusion;
mod gelu;
mod gpu;
mod kernel;
mod layer_norm;
mod linear;
mod quantize;
mod sharing;
mod softmax;
mod subsample;

pub use config::{CacheConfig, EncoderConfig};

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use prost::bytes::Bytes;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::matmul::optimized::OptMatMul;
use tract_onnx::tract_hir::infer::Factoid;

use crate::acoustic::onnx;
use crate::error::{Error, Result};

pub(crate) use fusion::optimize;
pub(crate) use gpu::Gpu;
pub(crate) use linear::Linear;
#[cfg(all(test, repository))]
pub(crate) use sharing::places;
pub(crate) use sharing::share_weights;

/// What the names of kernels have in them that use the processor's instructions for sums of products of
/// integers, of 8 bits or of pairs of 16; the others widen each product before it is added.
const DOT_PRODUCT_KERNELS: [&str; 5] = ["vnni", "amx", "_dot", "sme", "_madd"];

const FRAMES: &str = "frames";
/// What an output has before the name of the cache that it replaces.
pub(crate) const NEW: &str = "new_";

/// What an encoder gives for each of its frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EncoderOutput {
    /// The graph's output.
    pub name: &'static str,
    /// The values for one encoder frame.
    pub columns: usize,
    /// What else in the model says how many, for errors.
    pub reason: &'static str,
}

/// An encoder's weights. Cheap to clone, and shared between streams and threads.
#[derive(Clone)]
pub struct Encoder(Arc<Graph>);

/// One stream's way through an [`Encoder`].
pub struct EncoderState {
    encoder: Encoder,
    /// The graph's inputs, in its order, to which each call moves the new caches.
    inputs: TVec<TValue>,
    output: Option<TValue>,
    /// tract's buffers; made by the first call.
    session: Option<TypedSimpleState>,
}

struct Graph {
    plan: Arc<TypedRunnableModel>,
    frames_shape: [usize; 3],
    /// Caches as at a stream's start, and in the place of the frames an empty tensor.
    initial_inputs: TVec<TValue>,
    frames_input: usize,
    /// For each output the input that its value is for in the next call; what the encoder gives has
    /// none.
    next_inputs: Vec<Option<usize>>,
}

impl EncoderOutput {
    /// Natural log-probabilities of so many tokens and phones.
    pub fn log_probs(columns: usize) -> Self {
        Self { name: "log_probs", columns, reason: "lines of tokens.txt" }
    }
}

impl Encoder {
    /// Reads an ONNX file's content and checks its inputs and outputs; `path` is for errors.
    ///
    /// It runs on the processor unless a GPU is given, and shares the weights that it has in common
    /// with `other`.
    pub(crate) fn new(
        onnx: Bytes,
        (config, mel_bins): (&EncoderConfig, usize),
        output: EncoderOutput,
        path: &Path,
        gpu: Option<Gpu>,
        other: Option<&Self>,
    ) -> Result<Self> {
        let refuse = |e: TractError| {
            Error::model(path, format!("not a usable ONNX encoder: {e:#}").replace('\n', " "))
        };
        let expected = Expected { config, mel_bins, output };
        let bytes = onnx.len();
        let (model, outputs) = read(onnx, &expected.frames_shape()).map_err(refuse)?;
        let inputs: Vec<String> =
            model.inputs.iter().map(|outlet| model.node(outlet.node).name.clone()).collect();
        expected.check(&model, &inputs, &outputs).map_err(|reason| Error::model(path, reason))?;

        let mut initial_inputs = initial_inputs(&inputs, &config.caches).map_err(refuse)?;
        if let Some(Self(other)) = other {
            sharing::share_values(&mut initial_inputs, &other.initial_inputs);
        }
        let position = |name: &str| inputs.iter().position(|input| input == name);
        let encoder = Self(Arc::new(Graph {
            frames_shape: expected.frames_shape(),
            initial_inputs,
            frames_input: position(FRAMES).unwrap_or_default(),
            next_inputs: outputs.iter().map(|o| position(o.strip_prefix(NEW)?)).collect(),
            plan: match gpu {
                Some(gpu) => gpu.prepare(model),
                None => fusion::optimize(model).and_then(|mut model| {
                    if let Some(Self(other)) = other {
                        sharing::share_weights(&mut model, other.plan.model());
                    }
                    model.into_runnable()
                }),
            }
            .map_err(refuse)?,
        }));
        let kernels = encoder.matrix_kernels();
        let device = gpu.map_or_else(|| "cpu".to_owned(), Gpu::name);
        log::info!(
            "encoder: {}, {bytes} bytes, on {device}; matrix products by kernel: {kernels:?}",
            path.display()
        );
        Ok(encoder)
    }

    /// How many matrix products run in which kernel on this processor, for reports: names may change. Those with
    /// `_i32_` in their names multiply 8-bit integers.
    pub fn matrix_kernels(&self) -> BTreeMap<String, usize> {
        let mut kernels = BTreeMap::new();
        for node in &self.0.plan.model().nodes {
            let own = node.op_as::<Linear>().map(|linear| &linear.kernel().product);
            let tracts = node.op_as::<OptMatMul>().into_iter().flat_map(|product| &product.mmm);
            for kernel in own.into_iter().chain(tracts) {
                *kernels.entry(kernel.name().to_owned()).or_default() += 1;
            }
        }
        kernels
    }

    /// Whether matrix products of integers are what this processor has instructions for.
    pub(crate) fn has_dot_products(&self) -> bool {
        let is_fast = |name: &String| DOT_PRODUCT_KERNELS.iter().any(|part| name.contains(part));
        self.matrix_kernels().keys().any(is_fast)
    }

    /// Begins a stream.
    pub fn state(&self) -> EncoderState {
        let inputs = self.0.initial_inputs.clone();
        EncoderState { encoder: self.clone(), inputs, output: None, session: None }
    }
}

impl EncoderState {
    /// Encodes a chunk and its lookahead, `[input_frames, mel]` of the model's [`EncoderConfig`].
    ///
    /// Gives `[chunk_encoder_frames, columns]`: natural log-probabilities. The next call's frames
    /// begin `chunk_frames` later.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for another number of values, and [`Error::Encoder`] if the graph can't be
    /// run; the state is that of a new stream then.
    pub fn encode_chunk(&mut self, frames: &[f32]) -> Result<&[f32]> {
        let shape = self.encoder.0.frames_shape;
        if frames.len() != shape.iter().product::<usize>() {
            let [_, input_frames, mel] = shape;
            return Err(Error::Config(format!(
                "a chunk of {} values; this encoder takes {input_frames} frames of {mel}",
                frames.len()
            )));
        }
        if let Err(e) = self.run(&shape, frames) {
            self.reset();
            return Err(Error::Encoder(e.into()));
        }
        let output = self.output.as_ref().and_then(|value| value.as_plain_ram());
        let output = output.and_then(|values| values.as_slice::<f32>().ok());
        output.ok_or_else(|| Error::Config("the encoder gave nothing".to_owned()))
    }

    /// Begins a new stream.
    pub fn reset(&mut self) {
        *self = self.encoder.state();
    }

    fn run(&mut self, shape: &[usize], frames: &[f32]) -> TractResult<()> {
        let graph = &self.encoder.0;
        self.inputs[graph.frames_input] = Tensor::from_shape(shape, frames)?.into_tvalue();
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(TypedSimpleState::new(&graph.plan)?),
        };
        // Moved, so that tract may reuse the caches' memory.
        let inputs = std::mem::replace(&mut self.inputs, graph.initial_inputs.clone());
        for (value, next) in onnx::run(session, inputs)?.into_iter().zip(&graph.next_inputs) {
            match next {
                Some(input) => self.inputs[*input] = value,
                None => self.output = Some(value),
            }
        }
        Ok(())
    }
}

/// What the other files of the model ask of the graph.
struct Expected<'a> {
    config: &'a EncoderConfig,
    mel_bins: usize,
    output: EncoderOutput,
}

impl Expected<'_> {
    fn frames_shape(&self) -> [usize; 3] {
        [1, self.config.input_frames(), self.mel_bins]
    }

    fn check(
        &self,
        model: &TypedModel,
        inputs: &[String],
        outputs: &[String],
    ) -> Result<(), String> {
        let caches = self.config.caches.iter().map(|c| (c.name.clone(), c.shape.clone()));
        let frames = (FRAMES.to_owned(), self.frames_shape().to_vec());

        let mut expected =
            vec![(frames, "chunk_frames + lookahead_frames, mel_bins of config.json")];
        expected.extend(caches.clone().map(|cache| (cache, "its cache in config.json")));
        let fact = |index| model.input_fact(index);
        check_side("input", &expected, inputs, fact)?;

        let EncoderOutput { name, columns, reason } = self.output;
        let rows = (name.to_owned(), vec![1, self.config.chunk_encoder_frames(), columns]);
        let reason = format!("chunk_frames / subsampling_factor of config.json, {reason}");
        let mut expected = vec![(rows, &*reason)];
        expected
            .extend(caches.map(|(name, shape)| {
                ((format!("{NEW}{name}"), shape), "its cache in config.json")
            }));
        check_side("output", &expected, outputs, |index| model.output_fact(index))
    }
}

/// The caches as at a stream's start, and in the places of other inputs empty tensors.
pub(crate) fn initial_inputs(
    names: &[String],
    caches: &[CacheConfig],
) -> TractResult<TVec<TValue>> {
    let initial = |name: &String| {
        let cache = caches.iter().find(|cache| cache.name == *name);
        let (shape, value) = cache.map_or((&[0][..], 0.0), |c| (&c.shape[..], c.initial));
        let values = vec![value; shape.iter().product()];
        Ok(Tensor::from_shape(shape, &values)?.into_tvalue())
    };
    names.iter().map(initial).collect()
}

/// Compares names and shapes of the graph's inputs, or outputs, with what is expected and why.
fn check_side<'m>(
    side: &str,
    expected: &[((String, Vec<usize>), &str)],
    names: &[String],
    fact: impl Fn(usize) -> TractResult<&'m TypedFact>,
) -> Result<(), String> {
    for ((name, shape), reason) in expected {
        let Some(index) = names.iter().position(|n| n == name) else {
            return Err(format!("has no {side} {name}; its {side}s are {}", names.join(", ")));
        };
        let fact = fact(index).map_err(|e| format!("{side} {name}: {e:#}"))?;
        if fact.datum_type != f32::datum_type() {
            return Err(format!("{side} {name} is of type {:?}; it must be F32", fact.datum_type));
        }
        let Some(found) = fact.shape.as_concrete() else {
            return Err(format!("{side} {name} has the shape {:?}, not a fixed one", fact.shape));
        };
        if found != shape {
            return Err(format!(
                "{side} {name} has the shape {found:?}; the model's other files say {shape:?} ({reason})"
            ));
        }
    }
    match names.iter().find(|name| expected.iter().all(|((n, _), _)| n != *name)) {
        Some(name) => Err(format!("has the {side} {name}, which config.json does not know")),
        None => Ok(()),
    }
}

/// Gives the typed graph and its outputs' names; tract keeps only the inputs'.
///
/// The frames have `frames_shape` where the file leaves their number open.
///
/// Weights are copied once from the file and once more by tract. The first copy is gone before the
/// graph is optimized, and nothing large is freed before that: glibc then maps each weight on its own
/// and unmaps it when it is freed, which keeps 8 MB from staying in its heap.
fn read(file: Bytes, frames_shape: &[usize; 3]) -> TractResult<(TypedModel, Vec<String>)> {
    // With a number of frames, tract knows the shapes better than the file does.
    let framework = tract_onnx::onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
    let proto = onnx::decode(file)?;
    let graph = proto.graph.as_ref();
    let outputs = graph.into_iter().flat_map(|g| &g.output).map(|o| o.name.clone()).collect();
    let mut model = framework.model_for_proto_model(&proto)?;
    drop(proto);
    let inputs = model.input_outlets()?;
    let frames = inputs.iter().position(|input| model.node(input.node).name == FRAMES);
    if let Some((index, shape)) = frames.and_then(|i| Some((i, closed(&model, i, frames_shape)?))) {
        model.set_input_fact(index, InferenceFact::dt_shape(f32::datum_type(), shape))?;
    }
    Ok((onnx::infer_types(model)?, outputs))
}

/// The input's shape with what the file leaves open as in `shape`; `None` if it leaves nothing open.
fn closed(model: &InferenceModel, input: usize, shape: &[usize; 3]) -> Option<TVec<usize>> {
    let found = model.input_fact(input).ok()?.shape.concretize()?;
    let known: TVec<Option<i64>> = found.iter().map(|dimension| dimension.as_i64()).collect();
    if known.len() != shape.len() || known.iter().all(Option::is_some) {
        return None;
    }
    Some(known.iter().zip(shape).map(|(known, &open)| known.map_or(open, |k| k as usize)).collect())
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    const fn movable<T: Send>() {}
    shared::<Encoder>();
    movable::<EncoderState>();
};

#[cfg(all(test, repository))]
mod tests {
    use std::path::Path;

    use crate::model::{Chunk, LoadOptions, Model, Precision};

    fn load(dir: &str, precision: Precision) -> Model {
        Model::load(Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), precision).unwrap()
    }

    /// The matrix products of the optimized graph whose kernels sum in `i32`: those of 8-bit
    /// integers.
    fn integer_products(model: &Model) -> usize {
        let kernels = model.encoder().matrix_kernels();
        kernels.iter().filter(|(name, _)| name.contains("_i32_")).map(|(_, count)| count).sum()
    }

    fn operators(model: &Model, name: &str) -> usize {
        let nodes = &model.encoder().0.plan.model().nodes;
        nodes.iter().filter(|node| node.op.name() == name).count()
    }

    /// tract computes some forms of quantization in floating point without saying so.
    #[test]
    fn the_int8_encoder_multiplies_integers() {
        let dir = "tests/data/random";
        assert_eq!(integer_products(&load(dir, Precision::F32)), 0);
        assert!(integer_products(&load(dir, Precision::Int8)) >= 19);
    }

    /// Another export, or another tract, may give a graph that the rewriting does not recognize.
    #[test]
    fn nothing_is_left_to_fuse() {
        let model = load("models/en-small", Precision::Int8);
        for left in ["QuantizeLinearI8", "Cast", "RmsNorm", "GeluExact", "Conv", "DepthWiseConv"] {
            assert_eq!(operators(&model, left), 0, "{left}");
        }
        assert_eq!(operators(&model, "Linear"), integer_products(&model));
        for ours in ["LayerNorm", "Gelu", "Depthwise"] {
            assert!(operators(&model, ours) > 0, "{ours}");
        }
    }

    #[test]
    fn attention_is_fused_whatever_the_chunk() {
        let dir = "models/en-small";
        let config = load(dir, Precision::Int8).config().clone();
        for chunk in
            config.encoder.chunk_choices.iter().map(|&frames| config.frames_duration(frames))
        {
            let chunk = Chunk::Length(chunk);
            for precision in [Precision::F32, Precision::Int8] {
                let options = LoadOptions { chunk, precision, ..Default::default() };
                let model = Model::load(dir, options).unwrap();
                let caches = &model.config().encoder.caches;
                let caches = caches.iter().filter(|cache| cache.name.ends_with("_att_cache"));
                assert_eq!(
                    operators(&model, "Attention"),
                    caches.count(),
                    "{chunk:?}, {precision:?}"
                );
                assert_eq!(operators(&model, "Downsample"), 0, "{chunk:?}, {precision:?}");
            }
        }
    }
}
