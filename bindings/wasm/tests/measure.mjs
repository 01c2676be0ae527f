// Recognizes raw samples (f32, little-endian, 16 kHz, mono) in Node and prints what measure.js gives, as JSON.
//
//   node bindings/wasm/tests/measure.mjs PACKAGE FILE [OPTIONS as JSON]

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { measure } from "./measure.js";

const [folder, file, options = "{}"] = process.argv.slice(2);
const mynah = await import(pathToFileURL(resolve(folder, "mynah.js")));
const wasm = readFileSync(resolve(folder, "mynah_bg.wasm"));
const { buffer, byteOffset, byteLength } = readFileSync(file);
const samples = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
console.log(JSON.stringify({ ...(await measure(mynah, wasm, samples, JSON.parse(options))), residentBytes: process.memoryUsage().rss }));
