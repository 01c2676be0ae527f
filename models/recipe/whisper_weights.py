"""Read the variables of a CTranslate2 `model.bin`, the format in which Whisper weights are packaged."""

import struct
from pathlib import Path

import numpy as np

# CTranslate2 data type ids; int8 and int16 variables carry a separate scale and are not needed here.
DTYPES = {0: np.float32, 4: np.float16}


def read_variables(path: Path) -> dict[str, np.ndarray]:
    """Return every float variable of the file by name, as float32.

    Layout (format version 6): version, specification name, revision, count; then for each
    variable its name, rank, dimensions, data type id, byte count and bytes; then the count of aliases and for each
    its name and the variable's.
    """
    data = Path(path).read_bytes()
    at = 0

    def take(fmt: str):
        nonlocal at
        (value,) = struct.unpack_from("<" + fmt, data, at)
        at += struct.calcsize(fmt)
        return value

    def take_string() -> str:
        nonlocal at
        length = take("H")
        text = data[at : at + length - 1].decode()
        at += length
        return text

    version = take("I")
    if version < 5:
        raise ValueError(f"{path}: CTranslate2 format version {version}, expected 5 or newer")
    take_string()
    take("I")
    variables = {}
    for _ in range(take("I")):
        name = take_string()
        shape = [take("I") for _ in range(take("B"))]
        dtype_id, size = take("B"), take("I")
        if dtype_id in DTYPES:
            values = np.frombuffer(data, DTYPES[dtype_id], size // np.dtype(DTYPES[dtype_id]).itemsize, at)
            variables[name] = values.reshape(shape).astype(np.float32)
        at += size
    # Variables that equal another are names for it.
    for _ in range(take("I")):
        alias, name = take_string(), take_string()
        if name in variables:
            variables[alias] = variables[name]
    return variables
