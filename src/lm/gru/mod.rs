//! Gated recurrent units (Cho et al. 2014, as PyTorch has them) over embeddings, in 8-bit integers.

mod matrix;
mod rows;

pub(crate) use matrix::{Matrix, Quantized, bf16, numbers};
pub(crate) use rows::Rows;

use crate::lm::compact::{Reader, contradiction};

/// Rows of products this long still fit in 32 bits.
const WIDEST: usize = 1 << 16;

/// One unit: what it makes of its input, and of its last state. Rows by gate: reset, update, new.
pub(crate) struct Gru {
    input: Matrix,
    recurrent: Matrix,
}

impl Gru {
    pub fn new(input: Matrix, recurrent: Matrix) -> Self {
        Self { input, recurrent }
    }

    /// The size of a state.
    pub fn size(&self) -> usize {
        self.recurrent.columns
    }

    /// What an input adds to the gates.
    pub fn gates(&self, input: &Quantized) -> Vec<f32> {
        self.input.times(input)
    }

    /// The state after an input, whose values are between -1 and 1.
    pub fn step(&self, gates: &[f32], state: &[f32]) -> Box<[f32]> {
        let recurrent = self.recurrent.times(&Quantized::new(state));
        let size = state.len();
        let values = (0..size).map(|i| {
            let reset = sigmoid(gates[i] + recurrent[i]);
            let update = sigmoid(gates[size + i] + recurrent[size + i]);
            let new = (gates[2 * size + i] + reset * recurrent[2 * size + i]).tanh();
            (1.0 - update) * new + update * state[i]
        });
        values.collect()
    }
}

/// Refuses sizes that embeddings and states can't have.
pub(crate) fn check_sizes(width: usize, hidden: usize) -> Result<(), String> {
    let fits = |size: usize| (1..=WIDEST).contains(&size);
    if fits(width) && width.is_multiple_of(2) && fits(hidden) {
        return Ok(());
    }
    Err(contradiction("widths"))
}

/// Reads the matrices of a unit one after the other.
pub(crate) fn read_gru(reader: &mut Reader, width: usize, hidden: usize) -> Result<Gru, String> {
    let input = Matrix::read(reader, 3 * hidden, width)?;
    Ok(Gru::new(input, Matrix::read(reader, 3 * hidden, hidden)?))
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
