"""Whisper's text decoder over the states of this recipe's streaming encoder, as published: it attends to all of an utterance's states at once."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pieces import END, NO_TIMES, START

Cache = list[tuple[Tensor, Tensor]]


class CrossAttention(nn.Module):
    """Multi-head attention of pre-normed queries to keys and values that `keys` makes of anything."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm, self.query = nn.LayerNorm(dim), nn.Linear(dim, dim)
        self.key_value, self.out = nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)  # (batch, time, dim) → (batch, head, time, dim / head)

    def keys(self, x: Tensor) -> tuple[Tensor, Tensor]:
        key, value = self.key_value(x).chunk(2, -1)
        return self.split(key), self.split(value)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, causal: bool = False) -> Tensor:
        y = F.scaled_dot_product_attention(self.split(self.query(self.norm(x))), keys, values, is_causal=causal)
        return self.out(y.transpose(-3, -2).flatten(-2))


class DecoderBlock(nn.Module):
    def __init__(self, dim: int, heads: int, ffn: int):
        super().__init__()
        self.self_attention, self.attention = CrossAttention(dim, heads), CrossAttention(dim, heads)
        self.ffn_norm, self.ffn_in, self.ffn_out = nn.LayerNorm(dim), nn.Linear(dim, ffn), nn.Linear(ffn, dim)

    def forward(self, x: Tensor, memory: tuple[Tensor, Tensor], before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """`before` are the self-attention's keys and values of earlier tokens, if x is the one token after them."""
        keys, values = self.self_attention.keys(self.self_attention.norm(x))
        if before is not None:
            keys, values = torch.cat([before[0], keys], 2), torch.cat([before[1], values], 2)
        x = x + self.self_attention(x, keys, values, causal=before is None and x.shape[1] > 1)
        x = x + self.attention(x, *memory)
        return x + self.ffn_out(F.gelu(self.ffn_in(self.ffn_norm(x)))), (keys, values)


class WhisperDecoder(nn.Module):
    """Tokens so far → logits of the next."""

    def __init__(self, tokens: int, dim: int, heads: int, ffn: int, blocks: int, places: int):
        super().__init__()
        self.embedding = nn.Embedding(tokens, dim)
        self.blocks = nn.ModuleList(DecoderBlock(dim, heads, ffn) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)
        self.register_buffer("positions", torch.zeros(places, dim))

    @classmethod
    def from_whisper(cls, variables: dict, heads: int) -> "WhisperDecoder":
        """By CTranslate2's variables of a Whisper model."""
        tokens, dim = variables["decoder/embeddings/weight"].shape
        ffn = len(variables["decoder/layer_0/ffn/linear_0/weight"])
        blocks = len({name.split("/")[1] for name in variables if name.startswith("decoder/layer_") and "/ffn/" in name})
        decoder = cls(tokens, dim, heads, ffn, blocks, len(variables["decoder/position_encodings/encodings"]))
        decoder.load(variables)
        return decoder

    def sizes(self) -> dict[str, int]:
        """What makes one of the same shape."""
        block = self.blocks[0]
        return {
            "tokens": self.embedding.num_embeddings, "dim": self.embedding.embedding_dim, "heads": block.attention.heads,
            "ffn": block.ffn_in.out_features, "blocks": len(self.blocks), "places": len(self.positions),
        }

    def load(self, variables: dict) -> None:
        get = lambda name: torch.from_numpy(variables[f"decoder/{name}"])

        def copy(module: nn.Module, weight: Tensor, bias: Tensor) -> None:
            module.weight.data.copy_(weight)
            module.bias.data.copy_(bias)

        def norm(module: nn.LayerNorm, name: str) -> None:
            copy(module, get(f"{name}/gamma"), get(f"{name}/beta"))

        def linear(module: nn.Linear, name: str, rows: slice = slice(None)) -> None:
            copy(module, get(f"{name}/weight")[rows], get(f"{name}/bias")[rows])

        self.positions.copy_(get("position_encodings/encodings"))
        dim = self.embedding.embedding_dim
        self.embedding.weight.data.copy_(get("embeddings/weight"))
        norm(self.norm, "layer_norm")
        for index, block in enumerate(self.blocks):
            own, cross, ffn = (f"layer_{index}/{part}" for part in ("self_attention", "attention", "ffn"))
            norm(block.self_attention.norm, f"{own}/layer_norm")
            linear(block.self_attention.query, f"{own}/linear_0", slice(0, dim))
            linear(block.self_attention.key_value, f"{own}/linear_0", slice(dim, None))
            linear(block.self_attention.out, f"{own}/linear_1")
            norm(block.attention.norm, f"{cross}/layer_norm")
            linear(block.attention.query, f"{cross}/linear_0")
            linear(block.attention.key_value, f"{cross}/linear_1")
            linear(block.attention.out, f"{cross}/linear_2")
            norm(block.ffn_norm, f"{ffn}/layer_norm")
            linear(block.ffn_in, f"{ffn}/linear_0")
            linear(block.ffn_out, f"{ffn}/linear_1")

    def keep(self, ids: list[int]) -> None:
        """Forget the other tokens; ids are places in the list from now on."""
        self.embedding = nn.Embedding.from_pretrained(self.embedding.weight.data[ids].clone(), freeze=False)

    def memory(self, states: Tensor) -> Cache:
        """Keys and values of the encoder's states (batch, time, dim), by block."""
        return [block.attention.keys(states) for block in self.blocks]

    def forward(self, tokens: Tensor, memory: Cache, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        """tokens (batch, time), from the first on, or the one after those of the cache → logits (batch, time, token), new cache."""
        start = cache[0][0].shape[2] if cache else 0
        x = self.embedding(tokens) + self.positions[start : start + tokens.shape[1]]
        new = []
        for index, (block, of_block) in enumerate(zip(self.blocks, memory)):
            x, keys_values = block(x, of_block, cache[index] if cache else None)
            new.append(keys_values)
        return F.linear(self.norm(x), self.embedding.weight), new


@torch.no_grad()
def greedy(decoder: WhisperDecoder, memory: Cache, most: int) -> list[int]:
    """The likeliest token after the likeliest, at most `most` and at least one, by a decoder that keeps `pieces.py`'s tokens."""
    said: list[int] = []
    logits, cache = decoder(torch.tensor([[START, NO_TIMES]]), memory)
    while len(said) < most:
        scores = logits[0, -1]
        scores[[START, NO_TIMES] if said else [START, NO_TIMES, END]] = float("-inf")
        token = int(scores.argmax())
        if token == END:
            break
        said.append(token)
        logits, cache = decoder(torch.tensor([[token]]), memory, cache)
    return said
