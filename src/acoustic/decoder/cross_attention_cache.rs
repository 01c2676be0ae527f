//! What a decoder attends to.

use tract_onnx::prelude::*;

/// The encoder's rows of an utterance, `[time, blocks · 2 · heads · width]`: each block's keys, then
/// its values.
#[derive(Clone, Debug)]
pub(crate) struct CrossAttentionCache {
    rows: Vec<f32>,
    /// The values of a row.
    columns: usize,
    blocks: usize,
    heads: usize,
}

impl CrossAttentionCache {
    pub fn new(columns: usize, blocks: usize, heads: usize) -> Self {
        Self { rows: Vec::new(), columns, blocks, heads }
    }

    /// Adds what the encoder has given for a chunk.
    pub fn extend(&mut self, rows: &[f32]) {
        self.rows.extend_from_slice(rows);
    }

    /// Keeps the first rows alone.
    pub fn truncate(&mut self, rows: usize) {
        self.rows.truncate(rows * self.columns);
    }

    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// A block's keys `[heads, width, time]` and values `[heads, time, width]`.
    pub(super) fn of_block(&self, block: usize) -> TractResult<[Tensor; 2]> {
        let columns = self.columns;
        let dim = columns / (2 * self.blocks);
        let (width, time) = (dim / self.heads, self.rows.len() / columns);
        let from = 2 * block * dim;
        let rows = || self.rows.chunks_exact(columns);
        let mut keys: Vec<f32> = Vec::with_capacity(dim * time);
        for column in from..from + dim {
            keys.extend(rows().map(|row| row[column]));
        }
        let mut values: Vec<f32> = Vec::with_capacity(dim * time);
        for head in (from + dim..from + 2 * dim).step_by(width) {
            values.extend(rows().flat_map(|row| &row[head..head + width]));
        }
        Ok([
            Tensor::from_shape(&[self.heads, width, time], &keys)?,
            Tensor::from_shape(&[self.heads, time, width], &values)?,
        ])
    }
}
