"""Two small networks and their data, for tests that train them: a convolutional one on digits, a transformer on text.

Everything is a function of the seed and the number of the step, so runs can be repeated, split and compared.
"""
import gzip
import pathlib

import torch
from torch import nn
from torch.nn import functional

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Convolutional(nn.Module):
    """Two convolutions and a linear layer: 870 parameters, images of 8 x 8."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 8, 3, padding=1)
        self.out = nn.Linear(32, 10)

    def forward(self, images):
        hidden = functional.avg_pool2d(torch.tanh(self.first(images)), 2)
        hidden = functional.avg_pool2d(torch.tanh(self.second(hidden)), 2)
        return self.out(hidden.flatten(1))


class Transformer(nn.Module):
    """One block of attention and a feed-forward layer, over characters."""

    def __init__(self, letters, width=16, context=12, heads=2):
        super().__init__()
        self.heads = heads
        self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(context, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.attention, self.mix = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.out = nn.Linear(width, letters)
        self.register_buffer("later", torch.ones(context, context).triu(1).bool(), persistent=False)

    def forward(self, tokens):
        x = self.letters(tokens) + self.places(torch.arange(tokens.shape[1]))
        batch, length, width = x.shape
        parts = self.attention(self.norms[0](x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = (query @ key.transpose(-1, -2) / (width // self.heads) ** 0.5).masked_fill(self.later, -1e9)
        seen = (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, width)
        x = x + self.mix(seen)
        x = x + self.down(functional.gelu(self.up(self.norms[1](x))))
        return self.out(self.norms[2](x))


class Digits:
    """Batches of 8 x 8 images and their classes."""

    def __init__(self):
        with gzip.open(ROOT / "examples/data/digits.csv.gz", "rt") as file:
            rows = [[float(cell) for cell in line.split(",")] for line in list(file)[1:]]
        table = torch.tensor(rows, dtype=torch.float64)
        self.images, self.classes = table[:, :-1].reshape(-1, 1, 8, 8) / 16, table[:, -1].long()

    def model(self):
        return Convolutional()

    def loss(self, model, step):
        chosen = torch.randint(len(self.classes), (16,), generator=torch.Generator().manual_seed(step))
        images = self.images[chosen].to(model.out.weight.dtype)
        return functional.cross_entropy(model(images), self.classes[chosen])


class Text:
    """Batches of pieces of text and the characters that follow in them."""

    def __init__(self):
        text = (ROOT / "stdlib/adam.tw").read_text() + (ROOT / "stdlib/adamw.tw").read_text()
        letters = {letter: place for place, letter in enumerate(sorted(set(text)))}
        self.tokens, self.letters = torch.tensor([letters[letter] for letter in text]), len(letters)

    def model(self):
        return Transformer(self.letters)

    def loss(self, model, step):
        starts = torch.randint(len(self.tokens) - 13, (8, 1), generator=torch.Generator().manual_seed(step))
        pieces = self.tokens[starts + torch.arange(13)]
        return functional.cross_entropy(model(pieces[:, :-1]).flatten(0, 1), pieces[:, 1:].flatten())


def make_model(data, dtype, seed=1):
    torch.manual_seed(seed)
    return data.model().to(dtype)


def train(data, model, optimizer, steps, first=0):
    """Trains; returns the losses, each before its step."""
    losses = []
    for step in range(first, first + steps):
        optimizer.zero_grad()
        loss = data.loss(model, step)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
