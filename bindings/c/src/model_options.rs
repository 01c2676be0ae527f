//! What is chosen when a model is loaded.

use std::ffi::c_char;
use std::path::PathBuf;
use std::time::Duration;

use mynah::{Chunk, Finals, LoadOptions, Precision};

use crate::argument::{reference_mut, text, variant};
use crate::call::{call, value};
use crate::object;
use crate::status::{Failure, MynahStatus};

/// How a model is loaded. A new one has the defaults, those of `MYNAH_PRESET_BALANCED`.
///
/// Threads: one at a time. A call that loads a model copies what it needs.
#[derive(Default)]
pub struct MynahModelOptions {
    load: LoadOptions,
    second_model: Option<PathBuf>,
    needs_second_model: bool,
}

/// A balance of delay, computing and errors. Later versions may add values.
#[allow(non_camel_case_types, reason = "the names of the header")]
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MynahPreset {
    /// For most uses, and the default: partials in the model's streaming chunks, finals of a second pass.
    MYNAH_PRESET_BALANCED = 0,
    /// For many streams on one machine, or a slow one: the shortest chunks, a single pass, more errors.
    MYNAH_PRESET_LOW_LATENCY = 1,
    /// The fewest errors: a second model rescores finals; see `mynah_model_options_set_second_model`.
    MYNAH_PRESET_ACCURATE = 2,
}

/// Which of a model's encoders runs. Later versions may add values.
#[allow(non_camel_case_types, reason = "the names of the header")]
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MynahPrecision {
    /// int8 on processors that sum products of integers, else f32 if the model has it. The default.
    MYNAH_PRECISION_AUTO = 0,
    /// 32-bit floating point. The model inside the library lacks it.
    MYNAH_PRECISION_F32 = 1,
    /// Matrix products in 8-bit integers.
    MYNAH_PRECISION_INT8 = 2,
}

/// Which pass finals are of. Later versions may add values.
#[allow(non_camel_case_types, reason = "the names of the header")]
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MynahFinals {
    /// A second pass over each utterance, in longer chunks and with rescoring. The default.
    MYNAH_FINALS_SECOND_PASS = 0,
    /// The streaming pass: half the computing, and with `en-small` about twice the errors.
    MYNAH_FINALS_FIRST_PASS = 1,
}

/// The audio that the encoder takes at once. Later versions may add values.
#[allow(non_camel_case_types, reason = "the names of the header")]
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MynahChunk {
    /// The model's choice for audio that is recognized as it comes. The default.
    MYNAH_CHUNK_STREAMING = 0,
    /// The model's choice for audio that is there as a whole: fewer errors, later partials.
    MYNAH_CHUNK_OFFLINE = 1,
    /// The shortest: the earliest partials, more errors.
    MYNAH_CHUNK_SHORTEST = 2,
}

use MynahChunk::*;
use MynahFinals::*;
use MynahPrecision::*;
use MynahPreset::*;

const PRESETS: [(i32, MynahPreset); 3] = [
    (MYNAH_PRESET_BALANCED as i32, MYNAH_PRESET_BALANCED),
    (MYNAH_PRESET_LOW_LATENCY as i32, MYNAH_PRESET_LOW_LATENCY),
    (MYNAH_PRESET_ACCURATE as i32, MYNAH_PRESET_ACCURATE),
];
const PRECISIONS: [(i32, Precision); 3] = [
    (MYNAH_PRECISION_AUTO as i32, Precision::Auto),
    (MYNAH_PRECISION_F32 as i32, Precision::F32),
    (MYNAH_PRECISION_INT8 as i32, Precision::Int8),
];
const CHUNKS: [(i32, Chunk); 3] = [
    (MYNAH_CHUNK_STREAMING as i32, Chunk::Streaming),
    (MYNAH_CHUNK_OFFLINE as i32, Chunk::Offline),
    (MYNAH_CHUNK_SHORTEST as i32, Chunk::Shortest),
];
const FINALS: [(i32, MynahFinals); 2] = [
    (MYNAH_FINALS_SECOND_PASS as i32, MYNAH_FINALS_SECOND_PASS),
    (MYNAH_FINALS_FIRST_PASS as i32, MYNAH_FINALS_FIRST_PASS),
];

impl MynahModelOptions {
    /// The library's options.
    ///
    /// # Errors
    ///
    /// A second model is missing, or is of no use.
    pub fn load_options(&self) -> Result<LoadOptions, Failure> {
        let finals = match (&self.second_model, &self.load.finals) {
            (None, _) if self.needs_second_model => {
                return Err(Failure::config(
                    "the preset accurate has no second model; name its folder by \
                     mynah_model_options_set_second_model",
                ));
            }
            (Some(_), Finals::FirstPass) => {
                return Err(Failure::config(
                    "a second model needs a second pass; leave out one of MYNAH_FINALS_FIRST_PASS, \
                     MYNAH_PRESET_LOW_LATENCY and mynah_model_options_set_second_model",
                ));
            }
            (Some(folder), _) => Finals::WithModel(folder.clone()),
            (None, finals) => finals.clone(),
        };
        Ok(LoadOptions { finals, ..self.load.clone() })
    }

    fn set_preset(&mut self, preset: MynahPreset) {
        let chosen = match preset {
            MYNAH_PRESET_LOW_LATENCY => LoadOptions::low_latency(),
            MYNAH_PRESET_BALANCED | MYNAH_PRESET_ACCURATE => LoadOptions::balanced(),
        };
        let LoadOptions { precision, device, .. } = self.load;
        self.load = LoadOptions { precision, device, ..chosen };
        self.needs_second_model = preset == MYNAH_PRESET_ACCURATE;
    }

    fn set_finals(&mut self, finals: MynahFinals) {
        self.load.finals = match finals {
            MYNAH_FINALS_SECOND_PASS => Finals::SecondPass,
            MYNAH_FINALS_FIRST_PASS => Finals::FirstPass,
        };
    }
}

/// Makes options with the defaults. The caller frees them by `mynah_model_options_free`.
#[unsafe(no_mangle)]
pub extern "C" fn mynah_model_options_new() -> *mut MynahModelOptions {
    value(std::ptr::null_mut(), || Some(Box::into_raw(Box::default())))
}

/// Frees options. NULL is nothing.
///
/// # Safety
///
/// `options` is NULL, or from `mynah_model_options_new` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_options_free(options: *mut MynahModelOptions) {
    // SAFETY: as the caller says.
    unsafe { object::free(options) }
}

/// Sets chunk and finals by a `MynahPreset`. Calls that follow may change them.
///
/// # Safety
///
/// `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_options_set_preset(
    options: *mut MynahModelOptions,
    preset: i32,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.set_preset(variant(preset, &PRESETS, "preset")?);
        Ok(())
    })
}

/// Chooses the encoder by a `MynahPrecision`.
///
/// # Safety
///
/// `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_options_set_precision(
    options: *mut MynahModelOptions,
    precision: i32,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.load.precision = variant(precision, &PRECISIONS, "precision")?;
        Ok(())
    })
}

/// Chooses the pass of finals by a `MynahFinals`.
///
/// # Safety
///
/// `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_options_set_finals(
    options: *mut MynahModelOptions,
    finals: i32,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.set_finals(variant(finals, &FINALS, "finals")?);
        Ok(())
    })
}

/// Chooses the chunk by a `MynahChunk`.
///
/// # Safety
///
/// `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_options_set_chunk(
    options: *mut MynahModelOptions,
    chunk: i32,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.load.chunk = variant(chunk, &CHUNKS, "chunk")?;
        Ok(())
    })
}

/// Chooses the chunk by its length in milliseconds, one of those that the model was trained for; for `en-small` 320, 640,
/// 1280 and more. What the model can't take is refused when it is loaded.
///
/// # Safety
///
/// `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_options_set_chunk_ms(
    options: *mut MynahModelOptions,
    milliseconds: u32,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let options = unsafe { reference_mut(options, "options") }?;
        options.load.chunk = Chunk::Length(Duration::from_millis(milliseconds.into()));
        Ok(())
    })
}

/// Rescores finals by the model in this folder, such as `models/en-decoder`: fewer errors, for more computing.
///
/// # Safety
///
/// `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile. `folder` is text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_options_set_second_model(
    options: *mut MynahModelOptions,
    folder: *const c_char,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (options, folder) =
            unsafe { (reference_mut(options, "options")?, text(folder, "folder")?) };
        options.second_model = Some(folder.into());
        Ok(())
    })
}
