#!/usr/bin/env python3
"""Trains a transformer on characters with PyTorch and a rule of one's own, and lets it write.

    train.py TEXT... [--steps 1000] [--threads N] [--save FILE] [--resume FILE]
"""
import argparse
import math
import pathlib
import time

import torch
from torch import nn
from torch.nn import functional

import talweg.torch

CONTEXT, BATCH, WIDTH, HEADS, LAYERS = 64, 8, 64, 4, 2
HERE = pathlib.Path(__file__).parent


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.look, self.mix = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x, later):
        batch, length, _ = x.shape
        parts = self.look(self.first(x)).view(batch, length, 3, HEADS, WIDTH // HEADS)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = (query @ key.transpose(-1, -2)) / math.sqrt(WIDTH // HEADS)
        seen = scores.masked_fill(later, -math.inf).softmax(-1) @ value
        x = x + self.mix(seen.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.down(functional.gelu(self.up(self.second(x))))


class Transformer(nn.Module):
    def __init__(self, letters):
        super().__init__()
        self.letters, self.places = nn.Embedding(letters, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks, self.last = nn.ModuleList(Block() for _ in range(LAYERS)), nn.LayerNorm(WIDTH)
        self.out = nn.Linear(WIDTH, letters)

    def forward(self, tokens):
        length = tokens.shape[1]
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        x = self.letters(tokens) + self.places(torch.arange(length))
        for block in self.blocks:
            x = block(x, later)
        return self.out(self.last(x))


def loss_on(model, tokens, seed, batch=BATCH):
    """Of pieces that the seed chooses."""
    starts = torch.randint(len(tokens) - CONTEXT, (batch, 1), generator=torch.Generator().manual_seed(seed))
    pieces = tokens[starts + torch.arange(CONTEXT + 1)]
    return functional.cross_entropy(model(pieces[:, :-1]).flatten(0, 1), pieces[:, 1:].flatten())


@torch.no_grad()
def validate(model, tokens):
    return sum(loss_on(model, tokens, 10**6 + part, 16).item() for part in range(4)) / 4


@torch.no_grad()
def write(model, letters, length):
    """Lets the model go on after a line break, one character after the other."""
    random, tokens = torch.Generator().manual_seed(1), torch.tensor([[letters.index("\n")]])
    for _ in range(length):
        chances = (model(tokens[:, -CONTEXT:])[0, -1] / 0.7).softmax(-1)
        tokens = torch.cat([tokens, torch.multinomial(chances, 1, generator=random)[None]], 1)
    return "".join(letters[token] for token in tokens[0, 1:])


def make_optimizer(model, steps):
    """The rule of soft_lion.tw between two of talweg's own. Decay is for matrices that multiply only, in a group."""
    decayed = {module.weight for module in model.modules() if isinstance(module, nn.Linear)}
    others = [param for param in model.parameters() if param not in decayed]
    rule = talweg.compile(
        f"ClipByGlobalNorm(1) | SoftLion(lr = warmup_cosine(t, peak = 1e-2, warmup = 40, total = {steps})) | Ema(decay = 0.97)",
        file=HERE / "soft_lion.tw")
    groups = [{"params": [param for param in model.parameters() if param in decayed]}, {"params": others, "weight_decay": 0}]
    return talweg.torch.Optimizer(groups, rule=rule)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", nargs="+", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--stop", type=int, help="after how many steps, where that is sooner")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--save")
    parser.add_argument("--resume")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    text = "".join(path.read_text(encoding="utf-8") for path in options.texts)
    letters = sorted(set(text))
    places = {letter: place for place, letter in enumerate(letters)}
    tokens = torch.tensor([places[letter] for letter in text])
    training, apart = tokens[:len(tokens) * 9 // 10], tokens[len(tokens) * 9 // 10:]
    torch.manual_seed(1)
    model = Transformer(len(letters))
    optimizer = make_optimizer(model, options.steps)
    first = 0
    if options.resume:
        saved = torch.load(options.resume)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["step"]
    print(f"{sum(param.numel() for param in model.parameters())} parameters, {len(text)} characters, {len(letters)} different")
    start, last = time.perf_counter(), min(options.steps, options.stop or options.steps)
    for step in range(first + 1, last + 1):
        optimizer.zero_grad()
        loss = loss_on(model, training, step)
        loss.backward()
        optimizer.step()
        if step % max(1, options.steps // 10) == 0 or step == last:
            with optimizer.evaluation():  # the average of the weights in their place
                average = validate(model, apart)
            print(f"step {step}, loss {loss.item():.4f}, validation {validate(model, apart):.4f}, by the average {average:.4f}, "
                  f"{(time.perf_counter() - start) / (step - first) * 1e3:.0f} ms a step", flush=True)
    if options.save:
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": last}, options.save)
    with optimizer.evaluation():
        print(write(model, letters, 300))


if __name__ == "__main__":
    main()
