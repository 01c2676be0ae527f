//! A linear layer in 8-bit integers, in one operator.

use std::hash::{DefaultHasher, Hash, Hasher};

use multiversion::multiversion;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::tract_linalg::mmm::{AsInputValue, FusedSpec, MMMInputValue};

use super::kernel::Kernel;

/// `Σ weight · value` for each channel, in `i32`, then `sum · step + bias`, the step and the bias being the
/// channel's.
///
/// Input: `i8` values, as many times `depth` as there are rows. Output: `f32` values `[…, channels]`. The
/// product is that of ONNX's `MatMulInteger` without zero points.
#[derive(Clone, Debug)]
pub struct Linear {
    kernel: Kernel,
    weights: Weights,
    /// For each channel.
    steps: Arc<Tensor>,
    bias: Arc<Tensor>,
    /// The output's: rows, then channels.
    shape: TVec<usize>,
}

/// Weights as the kernel reads them; a clone shares them.
#[derive(Clone, Debug)]
pub struct Weights {
    packed: Arc<Box<dyn MMMInputValue>>,
    /// Of the values and the packing: the packed bytes between panels differ from one packing to the next.
    fingerprint: u64,
}

impl Linear {
    /// A layer with weights `[depth, channels]`, and an output of the shape, whose last axis are the channels.
    pub fn new(
        weights: &Tensor,
        steps: Arc<Tensor>,
        bias: Arc<Tensor>,
        shape: &[usize],
    ) -> TractResult<Self> {
        let &[depth, channels] = weights.shape() else { bail!("weights {:?}", weights.shape()) };
        ensure!(shape.last() == Some(&channels) && depth > 0);
        let rows = shape[..shape.len() - 1].iter().product();
        let kernel = Kernel::choose(channels, depth, rows)?;
        let packing = &kernel.product.packings()[kernel.packing].0;
        let mut hasher = DefaultHasher::new();
        (format!("{packing:?}"), weights.shape()).hash(&mut hasher);
        weights.try_as_plain_ram()?.as_slice::<i8>()?.hash(&mut hasher);
        let packed = Arc::new(packing.prepare_one(weights, 0, 1)?);
        let weights = Weights { packed, fingerprint: hasher.finish() };
        Ok(Self { kernel, weights, steps, bias, shape: shape.into() })
    }

    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// How its weights are packed.
    #[cfg(test)]
    pub fn packing(&self) -> String {
        format!("{:?}", self.kernel.product.packings()[self.kernel.packing].0)
    }

    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    pub fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    /// The sums `[…, channels]`.
    #[allow(unsafe_code)] // tract's kernels write through pointers.
    fn sums(&self, values: &Tensor) -> TractResult<Tensor> {
        let packed = &**self.weights.packed;
        let (depth, channels) = (packed.k(), packed.mn());
        let rows = self.shape[..self.shape.len() - 1].iter().product::<usize>();
        ensure!(values.datum_type() == i8::datum_type() && rows * depth == values.len());
        let values = values.clone().into_shape(&[rows, depth])?;
        let packing = self.kernel.packing;
        let values = self.kernel.product.packings()[packing].1.prepare_one(&values, 1, 0)?;
        let sums = Tensor::zero::<i32>(&[rows, channels])?;
        // SAFETY: the view is of `rows · channels` integers of 32 bits, which nothing else refers to, and
        // both operands are packed as the kernel's packing says.
        unsafe {
            let store = self.kernel.product.c_view(Some(1), Some(0)).wrap(&sums.view());
            let product = FusedSpec::AddMatMul {
                a: AsInputValue::Borrowed(packed),
                b: AsInputValue::Owned(values),
                packing,
            };
            self.kernel.product.run(channels, rows, &[product, FusedSpec::Store(store)])?;
        }
        Ok(sums)
    }
}

impl Weights {
    /// Whether both are the same values, packed alike.
    pub fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
            && self.packed.mn() == other.packed.mn()
            && self.packed.k() == other.packed.k()
    }

    /// Where they are in memory, and their bytes.
    #[cfg(test)]
    pub fn place(&self) -> (usize, usize) {
        (Arc::as_ptr(&self.packed).addr(), self.packed.mn() * self.packed.k())
    }
}

impl Op for Linear {
    fn name(&self) -> StaticName {
        "Linear".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![self.kernel.product.name().to_owned()])
    }

    op_as_typed_op!();
}

impl EvalOp for Linear {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let values = args_1!(inputs);
        let sums = self.sums(&values)?;
        let mut output = Tensor::zero::<f32>(&self.shape)?;
        let (steps, bias) = (self.steps.try_as_plain_ram()?, self.bias.try_as_plain_ram()?);
        rescale(
            sums.try_as_plain_ram()?.as_slice()?,
            steps.as_slice()?,
            bias.as_slice()?,
            output.try_as_plain_ram_mut()?.as_slice_mut()?,
        );
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Linear {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::datum_type().fact(&*self.shape)))
    }

    as_op!();
}

impl PartialEq for Linear {
    fn eq(&self, other: &Self) -> bool {
        self.kernel == other.kernel
            && self.weights.is_same(&other.weights)
            && self.steps == other.steps
            && self.bias == other.bias
            && self.shape == other.shape
    }
}

impl Eq for Linear {}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn rescale(sums: &[i32], steps: &[f32], bias: &[f32], output: &mut [f32]) {
    let channels = steps.len();
    for (sums, output) in sums.chunks_exact(channels).zip(output.chunks_exact_mut(channels)) {
        for (((sum, step), bias), value) in sums.iter().zip(steps).zip(bias).zip(output) {
            *value = *sum as f32 * step + bias;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(weights: &[i8], [depth, channels]: [usize; 2], rows: usize) -> Linear {
        let weights = Tensor::from_shape(&[depth, channels], weights).unwrap();
        let steps: Vec<f32> = (1..=channels).map(|channel| 0.25 * channel as f32).collect();
        let bias: Vec<f32> = (0..channels).map(|channel| channel as f32 - 3.0).collect();
        let (steps, bias) = (tensor1(&steps).into(), tensor1(&bias).into());
        Linear::new(&weights, steps, bias, &[1, rows, channels]).unwrap()
    }

    fn some(n: usize, step: usize) -> Vec<i8> {
        (0..n).map(|i| (i * step % 256) as u8 as i8).collect()
    }

    /// Against the definition, with tiles that are filled and that are not.
    #[test]
    fn channels_have_the_scaled_sums_of_products() {
        for (rows, depth, channels) in [(1, 7, 3), (2, 64, 16), (8, 65, 40), (19, 384, 29)] {
            let (values, weights) = (some(rows * depth, 37), some(depth * channels, 101));
            let layer = layer(&weights, [depth, channels], rows);
            let input = Tensor::from_shape(&[1, rows, depth], &values).unwrap();
            let sums = layer.sums(&input).unwrap();
            let sums = sums.try_as_plain_ram().unwrap();
            for (at, &sum) in sums.as_slice::<i32>().unwrap().iter().enumerate() {
                let (row, channel) = (at / channels, at % channels);
                let product = |d: usize| {
                    i32::from(values[row * depth + d]) * i32::from(weights[d * channels + channel])
                };
                let kernel = layer.kernel.product.name();
                assert_eq!(sum, (0..depth).map(product).sum::<i32>(), "{kernel}: {row}, {channel}");
            }
        }
    }

    #[test]
    fn equal_weights_are_the_same_and_others_are_not() {
        let (one, mut other) = (some(64 * 24, 101), some(64 * 24, 101));
        let weights = |values: &[i8], rows| layer(values, [64, 24], rows).weights;
        assert!(weights(&one, 8).is_same(&weights(&other, 128)));
        other[5] += 1;
        assert!(!weights(&one, 8).is_same(&weights(&other, 8)));
        let wide = layer(&one, [24, 64], 8).weights;
        assert!(!weights(&one, 8).is_same(&wide));
    }

    #[test]
    fn values_of_another_width_are_refused() {
        let layer = layer(&some(64 * 24, 101), [64, 24], 1);
        let input = Tensor::from_shape(&[1, 65], &some(65, 3)).unwrap();
        assert!(layer.sums(&input).is_err());
    }
}
