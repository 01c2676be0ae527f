/*
 * Mynah: a streaming speech recognizer. Samples in, text out while it is being said, offline.
 *
 * A model (MynahModel) with options makes a recognizer (MynahRecognizer), which makes streams (MynahStream). A stream
 * takes samples and gives events (MynahEvent).
 *
 * - Calls that can fail return a MynahStatus, MYNAH_OK (0) or an error; mynah_error_message() says what, where and what
 *   to do. Their outputs are their last arguments, which are NULL after an error unless said otherwise.
 * - What a call gives through a pointer to a pointer, or a `_new` function returns, is the caller's, who frees it by the
 *   `_free` function of its type, in any order. What is given as `const` belongs to the object that gave it.
 * - Nothing is kept of the arguments: they may be freed or changed after the call.
 * - Text is UTF-8 that ends with a zero. A NULL that is not allowed, text that is not UTF-8 and a number of no enumeration
 *   are errors. A pointer that was freed is not noticed.
 * - Nothing is printed, and the process has no state of the library's but the message of each thread.
 *
 * Made by cbindgen from bindings/c/src: do not edit.
 */


#ifndef MYNAH_H
#define MYNAH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The version of this header, first number. It changes with the name of the shared library.
 */
#define MYNAH_VERSION_MAJOR 0

/**
 * The version of this header, second number.
 */
#define MYNAH_VERSION_MINOR 1

/**
 * The version of this header, third number.
 */
#define MYNAH_VERSION_PATCH 0

/**
 * What an event is. Later versions may add values: ignore those that you don't know.
 */
enum MynahEventKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No event; of NULL.
   */
  MYNAH_EVENT_NONE = 0,
  /**
   * The utterance so far, whole; its text may change. An empty text withdraws what was shown of it.
   */
  MYNAH_EVENT_PARTIAL = 1,
  /**
   * The utterance has ended as this: no event of it follows.
   */
  MYNAH_EVENT_FINAL = 2,
  /**
   * A keyword was spotted. It belongs to no utterance.
   */
  MYNAH_EVENT_KEYWORD = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum MynahEventKind MynahEventKind;
#else
typedef int32_t MynahEventKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How an utterance matches a grammar. Later versions may add values.
 */
enum MynahGrammarMatch
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No grammar restricts the text.
   */
  MYNAH_GRAMMAR_UNRESTRICTED = 0,
  /**
   * The text is a phrase of the grammar; of a partial, the beginning of one.
   */
  MYNAH_GRAMMAR_PHRASE = 1,
  /**
   * What was spoken is not in the grammar. There is no text.
   */
  MYNAH_GRAMMAR_OUT_OF_GRAMMAR = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum MynahGrammarMatch MynahGrammarMatch;
#else
typedef int32_t MynahGrammarMatch;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a call came to. Later versions may add values.
 */
enum MynahStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It was done.
   */
  MYNAH_OK = 0,
  /**
   * An argument is NULL where it must not be, no UTF-8, or no value of its enumeration.
   */
  MYNAH_ERROR_ARGUMENT = 1,
  /**
   * A value is out of its range, or is nothing that the model can do: a phrase that can't be spelled, say.
   */
  MYNAH_ERROR_CONFIG = 2,
  /**
   * A file could not be opened, read or written.
   */
  MYNAH_ERROR_IO = 3,
  /**
   * A file does not hold audio that can be decoded.
   */
  MYNAH_ERROR_AUDIO = 4,
  /**
   * A model's file is missing, broken, or contradicts another of its files.
   */
  MYNAH_ERROR_MODEL = 5,
  /**
   * A sample is not a finite number. None of the call's samples has been accepted.
   */
  MYNAH_ERROR_SAMPLES = 6,
  /**
   * The encoder or the attention decoder could not be run. Reset the stream before going on.
   */
  MYNAH_ERROR_ENCODER = 7,
  /**
   * The call does not fit what has been called before: samples after `mynah_stream_finish`.
   */
  MYNAH_ERROR_STATE = 8,
  /**
   * The library was built without the feature that the call needs.
   */
  MYNAH_ERROR_UNSUPPORTED = 9,
  /**
   * A defect of Mynah; please report its message. A stream or formatter whose call gave this refuses all further
   * calls but its `_free`.
   */
  MYNAH_ERROR_INTERNAL = 10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum MynahStatus MynahStatus;
#else
typedef int32_t MynahStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A balance of delay, computing and errors. Later versions may add values.
 */
enum MynahPreset
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * For most uses, and the default: partials in the model's streaming chunks, finals of a second pass.
   */
  MYNAH_PRESET_BALANCED = 0,
  /**
   * For many streams on one machine, or a slow one: the shortest chunks, a single pass, more errors.
   */
  MYNAH_PRESET_LOW_LATENCY = 1,
  /**
   * The fewest errors: a second model rescores finals; see `mynah_model_options_set_second_model`.
   */
  MYNAH_PRESET_ACCURATE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum MynahPreset MynahPreset;
#else
typedef int32_t MynahPreset;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Which of a model's encoders runs. Later versions may add values.
 */
enum MynahPrecision
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * int8 on processors that sum products of integers, else f32 if the model has it. The default.
   */
  MYNAH_PRECISION_AUTO = 0,
  /**
   * 32-bit floating point. The model inside the library lacks it.
   */
  MYNAH_PRECISION_F32 = 1,
  /**
   * Matrix products in 8-bit integers.
   */
  MYNAH_PRECISION_INT8 = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum MynahPrecision MynahPrecision;
#else
typedef int32_t MynahPrecision;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Which pass finals are of. Later versions may add values.
 */
enum MynahFinals
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A second pass over each utterance, in longer chunks and with rescoring. The default.
   */
  MYNAH_FINALS_SECOND_PASS = 0,
  /**
   * The streaming pass: half the computing, and with `en-small` about twice the errors.
   */
  MYNAH_FINALS_FIRST_PASS = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum MynahFinals MynahFinals;
#else
typedef int32_t MynahFinals;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The audio that the encoder takes at once. Later versions may add values.
 */
enum MynahChunk
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The model's choice for audio that is recognized as it comes. The default.
   */
  MYNAH_CHUNK_STREAMING = 0,
  /**
   * The model's choice for audio that is there as a whole: fewer errors, later partials.
   */
  MYNAH_CHUNK_OFFLINE = 1,
  /**
   * The shortest: the earliest partials, more errors.
   */
  MYNAH_CHUNK_SHORTEST = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum MynahChunk MynahChunk;
#else
typedef int32_t MynahChunk;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a stream has recognized.
 *
 * Threads: any number at once; it never changes. What its functions give is valid until it is freed. It may be kept
 * longer than its stream.
 */
typedef struct MynahEvent MynahEvent;

/**
 * Writes recognized words as text that people read, one utterance after the other. Streams have one of their own.
 *
 * Threads: any number at once; calls of one formatter wait for each other.
 */
typedef struct MynahFormatter MynahFormatter;

/**
 * A model in memory, for any number of recognizers.
 *
 * Threads: any number at once. A recognizer keeps what it needs of a model, which may be freed before it.
 */
typedef struct MynahModel MynahModel;

/**
 * How a model is loaded. A new one has the defaults, those of `MYNAH_PRESET_BALANCED`.
 *
 * Threads: one at a time. A call that loads a model copies what it needs.
 */
typedef struct MynahModelOptions MynahModelOptions;

/**
 * A model and how it is decoded, for any number of streams.
 *
 * Threads: any number at once. A stream keeps what it needs of a recognizer, which may be freed before it.
 */
typedef struct MynahRecognizer MynahRecognizer;

/**
 * How a recognizer decodes, ends utterances and writes text. A new one has the defaults.
 *
 * Threads: one at a time. `mynah_recognizer_new` copies what it needs.
 */
typedef struct MynahRecognizerOptions MynahRecognizerOptions;

/**
 * One microphone's, call's or file's way through a recognizer: samples in, events out.
 *
 * Threads: any number at once. Calls of one stream wait for each other, so that one thread may give samples while
 * another takes events; streams don't wait for each other. The order of samples is that of the calls.
 */
typedef struct MynahStream MynahStream;

/**
 * A word, when it was spoken, and how sure that is. Read it by its pointer: later versions may add members at its end.
 */
typedef struct MynahWord {
  /**
   * Its characters, in UTF-8.
   */
  const char *text;
  /**
   * The audio time in seconds at which it begins.
   */
  double start;
  /**
   * The audio time in seconds at which it ends.
   */
  double end;
  /**
   * The probability that it is right, from 0 to 1.
   */
  float confidence;
} MynahWord;

/**
 * One of the likeliest texts of an utterance. Read it by its pointer: later versions may add members at its end.
 */
typedef struct MynahHypothesis {
  /**
   * The text as recognized, in UTF-8.
   */
  const char *text;
  /**
   * What it is ranked by, in natural logarithm.
   */
  double score;
} MynahHypothesis;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * What the event is; `MYNAH_EVENT_NONE` of NULL.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
MynahEventKind mynah_event_kind(const struct MynahEvent *event);

/**
 * The number of the utterance, from 0 on; 0 of a keyword. Finals come in the order of their utterances.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
uint64_t mynah_event_utterance(const struct MynahEvent *event);

/**
 * The text as recognized, in UTF-8: for `en-small` in capitals, without punctuation. A keyword's phrase. NULL of NULL.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
const char *mynah_event_text(const struct MynahEvent *event);

/**
 * The text as people read it, in UTF-8: a final with punctuation, case and numbers in digits, a partial with case alone.
 * The same as `mynah_event_text` where text is not formatted. NULL of NULL.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
const char *mynah_event_formatted_text(const struct MynahEvent *event);

/**
 * How many bytes of `mynah_event_text`, from its start on, no later event of the utterance changes: whole words.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
size_t mynah_event_stable_length(const struct MynahEvent *event);

/**
 * The audio time in seconds at which the first word begins.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
double mynah_event_start(const struct MynahEvent *event);

/**
 * The audio time in seconds at which the last word ends.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
double mynah_event_end(const struct MynahEvent *event);

/**
 * The geometric mean of the words' confidences. Of a keyword how likely the phrase is beside the likeliest tokens, per token,
 * from 0 to 1. NaN without words.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
float mynah_event_confidence(const struct MynahEvent *event);

/**
 * How the utterance matches the grammar.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
MynahGrammarMatch mynah_event_grammar_match(const struct MynahEvent *event);

/**
 * How well the likeliest phrase of the grammar fits, from 0 to 1; NaN without a grammar. Not a probability of being right.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
float mynah_event_grammar_fit(const struct MynahEvent *event);

/**
 * The position of a keyword in its list, from 0 on; lines that are empty or comments are not counted.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
size_t mynah_event_keyword(const struct MynahEvent *event);

/**
 * The words of `mynah_event_text`. None of a keyword.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
size_t mynah_event_word_count(const struct MynahEvent *event);

/**
 * A word of `mynah_event_text`; NULL from `mynah_event_word_count` on.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
const struct MynahWord *mynah_event_word(const struct MynahEvent *event, size_t index);

/**
 * The words of a final's `mynah_event_formatted_text`: a number in digits is one word. Of a partial those of its text.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
size_t mynah_event_formatted_word_count(const struct MynahEvent *event);

/**
 * A word of a final's `mynah_event_formatted_text`; NULL from `mynah_event_formatted_word_count` on. Its confidence is the
 * least of the words that it stands for.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
const struct MynahWord *mynah_event_formatted_word(const struct MynahEvent *event,
                                                   size_t index);

/**
 * The hypotheses of the utterance, the event's own included; see `mynah_recognizer_options_set_nbest`.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
size_t mynah_event_hypothesis_count(const struct MynahEvent *event);

/**
 * A hypothesis, the best first; NULL from `mynah_event_hypothesis_count` on.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed.
 */
const struct MynahHypothesis *mynah_event_hypothesis(const struct MynahEvent *event, size_t index);

/**
 * Frees an event, and all that its functions gave. NULL is nothing.
 *
 * # Safety
 *
 * `event` is NULL, or from `mynah_stream_next_event` and not freed, and no other call uses it.
 */
void mynah_event_free(struct MynahEvent *event);

/**
 * Recognizes an audio file of any common kind, and gives its text at `*transcript`: an utterance a line, formatted as the
 * recognizer's streams are.
 *
 * A model in the chunks of `MYNAH_CHUNK_OFFLINE` makes the fewest errors in files. Errors: `MYNAH_ERROR_IO` if the file
 * can't be read, `MYNAH_ERROR_AUDIO` if it is no audio or breaks off, `MYNAH_ERROR_UNSUPPORTED` if the library was built
 * without the feature files. After an error the text is what was recognized before it, or NULL. The caller frees it by
 * `mynah_string_free`, after an error too.
 *
 * # Safety
 *
 * `recognizer` is not freed. `path` is text. `transcript` may be written to.
 */
MynahStatus mynah_transcribe_file(const struct MynahRecognizer *recognizer,
                                  const char *path,
                                  char **transcript);

/**
 * Makes a formatter, at `*formatter`; NULL if it fails. The model's punctuation model gives marks and case; without a model
 * (NULL) rules do.
 *
 * Errors: `MYNAH_ERROR_UNSUPPORTED` if the library was built without the feature itn. The caller frees it by
 * `mynah_formatter_free`.
 *
 * # Safety
 *
 * `model` is NULL, or not freed. `formatter` may be written to.
 */
MynahStatus mynah_formatter_new(const struct MynahModel *model,
                                struct MynahFormatter **formatter);

/**
 * Formats the words of an utterance, at `*formatted`; NULL if it fails. The caller frees it by `mynah_string_free`.
 *
 * # Safety
 *
 * `formatter` is not freed. `words` is text. `formatted` may be written to.
 */
MynahStatus mynah_formatter_format(struct MynahFormatter *formatter,
                                   const char *words,
                                   char **formatted);

/**
 * Begins a sentence with the next utterance, whatever stood before it.
 *
 * # Safety
 *
 * `formatter` is not freed.
 */
MynahStatus mynah_formatter_begin_sentence(struct MynahFormatter *formatter);

/**
 * Frees a formatter. NULL is nothing.
 *
 * # Safety
 *
 * `formatter` is NULL, or from `mynah_formatter_new` and not freed, and no other call uses it.
 */
void mynah_formatter_free(struct MynahFormatter *formatter);

/**
 * Gives the model that is inside the library, at `*model`; NULL if it fails. `options` may be NULL.
 *
 * Errors: `MYNAH_ERROR_CONFIG` if the model lacks what the options ask for, `MYNAH_ERROR_IO` and `MYNAH_ERROR_MODEL` for
 * a second model, `MYNAH_ERROR_UNSUPPORTED` if none is inside. The caller frees it by `mynah_model_free`.
 *
 * # Safety
 *
 * `options` is NULL, or from `mynah_model_options_new` and not freed. `model` may be written to.
 */
MynahStatus mynah_model_builtin(const struct MynahModelOptions *options,
                                struct MynahModel **model);

/**
 * Loads the model in a folder, such as `models/en-small`, at `*model`; NULL if it fails. `options` may be NULL.
 *
 * Errors: `MYNAH_ERROR_IO` for a file that can't be read, `MYNAH_ERROR_MODEL` for one that is broken,
 * `MYNAH_ERROR_CONFIG` if the model lacks what the options ask for. The caller frees it by `mynah_model_free`.
 *
 * # Safety
 *
 * `folder` is text. `options` is NULL, or from `mynah_model_options_new` and not freed. `model` may be written to.
 */
MynahStatus mynah_model_load(const char *folder,
                             const struct MynahModelOptions *options,
                             struct MynahModel **model);

/**
 * Waits for what still loads in the background: the encoder of the second pass. Without this call the first final waits.
 *
 * Errors: `MYNAH_ERROR_CONFIG` with the reason if it could not be loaded.
 *
 * # Safety
 *
 * `model` is from `mynah_model_load` or `mynah_model_builtin`, and not freed.
 */
MynahStatus mynah_model_finish_loading(const struct MynahModel *model);

/**
 * The model's name, such as "en-small"; NULL of NULL. It is valid until the model is freed.
 *
 * # Safety
 *
 * `model` is NULL, or from `mynah_model_load` or `mynah_model_builtin` and not freed.
 */
const char *mynah_model_name(const struct MynahModel *model);

/**
 * The model's language, such as "en"; NULL of NULL. It is valid until the model is freed.
 *
 * # Safety
 *
 * `model` is NULL, or from `mynah_model_load` or `mynah_model_builtin` and not freed.
 */
const char *mynah_model_language(const struct MynahModel *model);

/**
 * The rate in Hz at which the model takes samples; 0 of NULL. Streams resample from any other.
 *
 * # Safety
 *
 * `model` is NULL, or from `mynah_model_load` or `mynah_model_builtin` and not freed.
 */
uint32_t mynah_model_sample_rate(const struct MynahModel *model);

/**
 * Frees a model. NULL is nothing. Recognizers and streams of it live on.
 *
 * # Safety
 *
 * `model` is NULL, or from `mynah_model_load` or `mynah_model_builtin` and not freed, and no other call uses it.
 */
void mynah_model_free(struct MynahModel *model);

/**
 * Makes options with the defaults. The caller frees them by `mynah_model_options_free`.
 */
struct MynahModelOptions *mynah_model_options_new(void);

/**
 * Frees options. NULL is nothing.
 *
 * # Safety
 *
 * `options` is NULL, or from `mynah_model_options_new` and not freed.
 */
void mynah_model_options_free(struct MynahModelOptions *options);

/**
 * Sets chunk and finals by a `MynahPreset`. Calls that follow may change them.
 *
 * # Safety
 *
 * `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_model_options_set_preset(struct MynahModelOptions *options, int32_t preset);

/**
 * Chooses the encoder by a `MynahPrecision`.
 *
 * # Safety
 *
 * `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_model_options_set_precision(struct MynahModelOptions *options, int32_t precision);

/**
 * Chooses the pass of finals by a `MynahFinals`.
 *
 * # Safety
 *
 * `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_model_options_set_finals(struct MynahModelOptions *options, int32_t finals);

/**
 * Chooses the chunk by a `MynahChunk`.
 *
 * # Safety
 *
 * `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_model_options_set_chunk(struct MynahModelOptions *options, int32_t chunk);

/**
 * Chooses the chunk by its length in milliseconds, one of those that the model was trained for; for `en-small` 320, 640,
 * 1280 and more. What the model can't take is refused when it is loaded.
 *
 * # Safety
 *
 * `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_model_options_set_chunk_ms(struct MynahModelOptions *options,
                                             uint32_t milliseconds);

/**
 * Rescores finals by the model in this folder, such as `models/en-decoder`: fewer errors, for more computing.
 *
 * # Safety
 *
 * `options` is from `mynah_model_options_new`, not freed, and not used by another thread meanwhile. `folder` is text.
 */
MynahStatus mynah_model_options_set_second_model(struct MynahModelOptions *options,
                                                 const char *folder);

/**
 * Frees a text that a call gave as `char **`. NULL is nothing.
 *
 * # Safety
 *
 * `text` is NULL, or from such a call, not freed, and not used any more.
 */
void mynah_string_free(char *text);

/**
 * Makes a recognizer of a model, at `*recognizer`; NULL if it fails. `options` may be NULL.
 *
 * Errors: `MYNAH_ERROR_CONFIG` for a value out of its range, and with the line for what can't be used of a list or a
 * grammar. The caller frees it by `mynah_recognizer_free`.
 *
 * # Safety
 *
 * `model` is not freed. `options` is NULL, or from `mynah_recognizer_options_new` and not freed. `recognizer` may be
 * written to.
 */
MynahStatus mynah_recognizer_new(const struct MynahModel *model,
                                 const struct MynahRecognizerOptions *options,
                                 struct MynahRecognizer **recognizer);

/**
 * Frees a recognizer. NULL is nothing. Its streams live on.
 *
 * # Safety
 *
 * `recognizer` is NULL, or from `mynah_recognizer_new` and not freed, and no other call uses it.
 */
void mynah_recognizer_free(struct MynahRecognizer *recognizer);

/**
 * Makes options with the defaults. The caller frees them by `mynah_recognizer_options_free`.
 */
struct MynahRecognizerOptions *mynah_recognizer_options_new(void);

/**
 * Frees options. NULL is nothing.
 *
 * # Safety
 *
 * `options` is NULL, or from `mynah_recognizer_options_new` and not freed.
 */
void mynah_recognizer_options_free(struct MynahRecognizerOptions *options);

/**
 * Sets whether utterances end before the audio does or a minute has passed. By default they do.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_recognizer_options_set_endpoint(struct MynahRecognizerOptions *options, bool enabled);

/**
 * Sets the silence after words that ends an utterance, in seconds. By default 1.2.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_recognizer_options_set_endpoint_silence(struct MynahRecognizerOptions *options,
                                                          double seconds);

/**
 * Ends an utterance early, after so many seconds of silence that the model is sure of: finals come sooner, and pauses
 * inside sentences end them too. 0 switches it off, the default; 0.64 suits live captions.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_recognizer_options_set_early_endpoint(struct MynahRecognizerOptions *options,
                                                        double seconds);

/**
 * Sets the length in seconds at which an utterance ends at the next pause. By default 60.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_recognizer_options_set_longest_utterance(struct MynahRecognizerOptions *options,
                                                           double seconds);

/**
 * Sets whether silence is kept from the encoder, which saves computing where a microphone is open all day. By default
 * all is encoded.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_recognizer_options_set_gate(struct MynahRecognizerOptions *options,
                                              bool enabled);

/**
 * Sets how many hypotheses a final has at most, the best included. By default 1.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_recognizer_options_set_nbest(struct MynahRecognizerOptions *options, uint32_t hypotheses);

/**
 * Adds words to the lexicon: one a line in the form in which it is to be written, after `=` English words that sound so or
 * phones between slashes: "k8s = kubernetes". NULL stands for none.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile. `list` is NULL
 * or text.
 */
MynahStatus mynah_recognizer_options_set_words(struct MynahRecognizerOptions *options,
                                               const char *list);

/**
 * Prefers phrases: one a line, after a colon its boost if it is not to be 1: "Kew Gardens:1.5". NULL stands for none.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile. `list` is NULL
 * or text.
 */
MynahStatus mynah_recognizer_options_set_hotwords(struct MynahRecognizerOptions *options,
                                                  const char *list);

/**
 * Restricts utterances to a grammar: phrases, one a line, or JSGF where the text begins with `#JSGF`. NULL stands for none.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile. `grammar` is
 * NULL or text.
 */
MynahStatus mynah_recognizer_options_set_grammar(struct MynahRecognizerOptions *options,
                                                 const char *grammar);

/**
 * Sets how well an utterance must fit a phrase of the grammar, from 0 to 1. By default 0.2.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_recognizer_options_set_grammar_threshold(struct MynahRecognizerOptions *options,
                                                           float threshold);

/**
 * Spots keywords besides: one a line, after a colon its threshold if it is not to be 0.2: "hey mynah:0.4". NULL stands for
 * none.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile. `list` is NULL
 * or text.
 */
MynahStatus mynah_recognizer_options_set_keywords(struct MynahRecognizerOptions *options,
                                                  const char *list);

/**
 * Sets whether text is formatted: punctuation, case and numbers in digits. By default it is if the model has a punctuation
 * model and there is no grammar.
 *
 * Errors: `MYNAH_ERROR_UNSUPPORTED` for true if the library was built without the feature itn.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_recognizer_options_set_formatting(struct MynahRecognizerOptions *options,
                                                    bool enabled);

/**
 * Sets whether the names of marks, such as "full stop", are written as marks. By default they are.
 *
 * # Safety
 *
 * `options` is from `mynah_recognizer_options_new`, not freed, and not used by another thread meanwhile.
 */
MynahStatus mynah_recognizer_options_set_spoken_punctuation(struct MynahRecognizerOptions *options,
                                                            bool enabled);

/**
 * Says why the last call of this thread that failed did so, in one line of UTF-8: what, where and what to do.
 *
 * Each thread has a message of its own, as with `errno`. The text is valid until another call of the same thread fails;
 * it is empty before the first. A call that succeeds leaves it. Never freed. A language whose tasks move between
 * threads must read it on the thread of the call, before anything else can run there.
 */
const char *mynah_error_message(void);

/**
 * Describes a status, a `MynahStatus`, in a few words. Never freed.
 */
const char *mynah_status_text(int32_t status);

/**
 * Makes a stream of a recognizer, at `*stream`; NULL if it fails. It takes mono samples of `sample_rate` Hz, from 4000 to
 * 384000, and resamples them to the model's rate.
 *
 * Errors: `MYNAH_ERROR_CONFIG` for another rate. The caller frees it by `mynah_stream_free`.
 *
 * # Safety
 *
 * `recognizer` is not freed. `stream` may be written to.
 */
MynahStatus mynah_stream_new(const struct MynahRecognizer *recognizer,
                             uint32_t sample_rate,
                             struct MynahStream **stream);

/**
 * Frees a stream. NULL is nothing. Its events live on.
 *
 * # Safety
 *
 * `stream` is NULL, or from `mynah_stream_new` and not freed, and no other call uses it.
 */
void mynah_stream_free(struct MynahStream *stream);

/**
 * Accepts samples from -1 to 1, and decodes the chunks that they complete. Splitting the samples differently between calls
 * gives the same events. The final of an utterance that ends is computed by this call.
 *
 * Errors: `MYNAH_ERROR_SAMPLES` for a sample that is no finite number, `MYNAH_ERROR_STATE` after `mynah_stream_finish`; no
 * sample has been accepted then. `MYNAH_ERROR_ENCODER` if a chunk can't be encoded. Events of before stay.
 *
 * # Safety
 *
 * `stream` is not freed. `samples` points to `count` values, and may be NULL if these are none.
 */
MynahStatus mynah_stream_accept_f32(struct MynahStream *stream,
                                    const float *samples,
                                    size_t count);

/**
 * Accepts samples of 16 bits in the machine's byte order; see `mynah_stream_accept_f32`.
 *
 * # Safety
 *
 * `stream` is not freed. `samples` points to `count` values, and may be NULL if these are none.
 */
MynahStatus mynah_stream_accept_i16(struct MynahStream *stream, const int16_t *samples, size_t count);

/**
 * Moves the clock over `count` samples that were lost, at the stream's rate: what comes later has later times. More than
 * 0.2 s end the utterance.
 *
 * Errors: those of `mynah_stream_flush`; the clock has moved even so. `MYNAH_ERROR_STATE` after `mynah_stream_finish`.
 *
 * # Safety
 *
 * `stream` is not freed.
 */
MynahStatus mynah_stream_skip(struct MynahStream *stream,
                              uint64_t count);

/**
 * Decodes all samples accepted so far and ends the utterance. Samples may follow, which begin another one.
 *
 * Errors: `MYNAH_ERROR_ENCODER` if a chunk can't be encoded.
 *
 * # Safety
 *
 * `stream` is not freed.
 */
MynahStatus mynah_stream_flush(struct MynahStream *stream);

/**
 * Ends the stream: as `mynah_stream_flush`, and no samples may follow but after `mynah_stream_reset`. All events are there
 * then. A second call does nothing.
 *
 * Errors: those of `mynah_stream_flush`.
 *
 * # Safety
 *
 * `stream` is not freed.
 */
MynahStatus mynah_stream_finish(struct MynahStream *stream);

/**
 * Forgets everything, events not yet given included: what follows is as in a new stream of the same recognizer and rate.
 *
 * # Safety
 *
 * `stream` is not freed.
 */
MynahStatus mynah_stream_reset(struct MynahStream *stream);

/**
 * Gives the oldest event not yet given, at `*event`; NULL if there is none, or if it fails. Never waits for audio. Keywords
 * come before the other events that are there.
 *
 * The caller frees it by `mynah_event_free`.
 *
 * # Safety
 *
 * `stream` is not freed. `event` may be written to.
 */
MynahStatus mynah_stream_next_event(struct MynahStream *stream,
                                    struct MynahEvent **event);

/**
 * The audio time in seconds that has been accepted and skipped since the stream's start; 0 of NULL.
 *
 * # Safety
 *
 * `stream` is NULL, or not freed.
 */
double mynah_stream_position(const struct MynahStream *stream);

/**
 * Prefers other hotwords from the next utterance on: one a line, "PHRASE" or "PHRASE:BOOST", in words that the model's
 * tokens can spell. NULL stands for none. They hold until the stream is reset.
 *
 * Errors: `MYNAH_ERROR_CONFIG` with the lines that can't be used; those before stay then.
 *
 * # Safety
 *
 * `stream` is not freed. `list` is NULL or text.
 */
MynahStatus mynah_stream_set_hotwords(struct MynahStream *stream,
                                      const char *list);

/**
 * Restricts text to another grammar from the next utterance on, with the threshold 0.2; see
 * `mynah_recognizer_options_set_grammar`. NULL stands for none. It holds until the stream is reset.
 *
 * Errors: `MYNAH_ERROR_CONFIG` with line and column; the grammar before stays then.
 *
 * # Safety
 *
 * `stream` is not freed. `grammar` is NULL or text.
 */
MynahStatus mynah_stream_set_grammar(struct MynahStream *stream, const char *grammar);

/**
 * Spots other keywords from now on; see `mynah_recognizer_options_set_keywords`. NULL stands for none. They hold until the
 * stream is reset.
 *
 * Errors: `MYNAH_ERROR_CONFIG` with the line; those before stay then.
 *
 * # Safety
 *
 * `stream` is not freed. `list` is NULL or text.
 */
MynahStatus mynah_stream_set_keywords(struct MynahStream *stream,
                                      const char *list);

/**
 * The version of the library that is linked, such as "0.1.0". Never freed.
 */
const char *mynah_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MYNAH_H */
