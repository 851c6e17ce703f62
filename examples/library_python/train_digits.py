#!/usr/bin/env python3
"""Trains a classifier of digits with NumPy and a library made by talweg.

    train_digits.py LIBRARY_FOLDER DIGITS.csv.gz [--epochs 10] [--threads 1] [--save FILE] [--resume FILE]

The library is of `AdamW | Ema`: it keeps an average of the weights, which is evaluated beside them.
"""
import argparse
import hashlib
import sys

import numpy as np

WIDTHS = (64, 128, 10)
BATCH = 64


def read_digits(path):
    """Pixels from 0 to 1, and classes; every fifth image is kept apart for a test."""
    table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float32)
    pixels, classes = np.ascontiguousarray(table[:, :-1] / 16), table[:, -1].astype(int)
    apart = np.arange(len(table)) % 5 == 0
    return (pixels[~apart], classes[~apart]), (pixels[apart], classes[apart])


def make_parameters():
    random = np.random.default_rng(1)
    parameters = {}
    for layer, (inputs, outputs) in enumerate(zip(WIDTHS, WIDTHS[1:]), 1):
        spread = np.sqrt(2 / inputs)
        parameters[f"{layer}.weight"] = random.normal(0, spread, (inputs, outputs)).astype(np.float32)
        parameters[f"{layer}.bias"] = np.zeros(outputs, np.float32)
    return parameters


def forward(p, pixels):
    hidden = np.maximum(pixels @ p["1.weight"] + p["1.bias"], 0)
    return hidden, hidden @ p["2.weight"] + p["2.bias"]


def loss_and_gradients(p, pixels, classes):
    hidden, scores = forward(p, pixels)
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    rows = np.arange(len(classes))
    loss = -np.log(chances[rows, classes]).mean()
    d_scores = chances
    d_scores[rows, classes] -= 1
    d_scores /= len(classes)
    d_hidden = d_scores @ p["2.weight"].T * (hidden > 0)
    return loss, {"1.weight": pixels.T @ d_hidden, "1.bias": d_hidden.sum(axis=0),
                  "2.weight": hidden.T @ d_scores, "2.bias": d_scores.sum(axis=0)}


def share_recognised(p, pixels, classes):
    return (forward(p, pixels)[1].argmax(axis=1) == classes).mean()


def save(path, parameters, optimizer, epoch):
    states = np.frombuffer(optimizer.save(), np.uint8)
    with open(path, "wb") as file:
        np.savez(file, **parameters, epoch=epoch, optimizer=states)


def resume(path, parameters, optimizer):
    """Puts back what was saved; returns the epochs that are done."""
    with np.load(path) as saved:
        for name, array in parameters.items():
            array[...] = saved[name]  # in place: the optimizer knows where it is
        optimizer.load(saved["optimizer"].tobytes())
        return int(saved["epoch"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save")
    parser.add_argument("--resume")
    arguments = parser.parse_args()
    sys.path.insert(0, arguments.library)
    import averaged  # the module that talweg has made

    (pixels, classes), apart = read_digits(arguments.data)
    parameters = make_parameters()
    is_bias = {name: name.endswith(".bias") for name in parameters}
    optimizer = averaged.AveragedAdamW(
        [{"params": {n: p for n, p in parameters.items() if not is_bias[n]}, "weight_decay": 0.05},
         {"params": {n: p for n, p in parameters.items() if is_bias[n]}, "weight_decay": 0}],
        lr=3e-3, decay=0.98, threads=arguments.threads)
    print(optimizer)
    first = resume(arguments.resume, parameters, optimizer) if arguments.resume else 0
    for epoch in range(first, arguments.epochs):
        order = np.random.default_rng(epoch).permutation(len(classes))
        losses = []
        for begin in range(0, len(order), BATCH):
            chosen = order[begin:begin + BATCH]
            loss, gradients = loss_and_gradients(parameters, pixels[chosen], classes[chosen])
            optimizer.step(gradients)
            losses.append(loss)
        print(f"epoch {epoch + 1}, loss {np.mean(losses):.4f}")
    own = share_recognised(parameters, *apart)
    with optimizer.view("averaged"):
        average = share_recognised(parameters, *apart)
    print(f"recognised {own:.1%} of {len(apart[1])} other images, by the average of weights {average:.1%}")
    if arguments.save:
        save(arguments.save, parameters, optimizer, arguments.epochs)
    digest = hashlib.sha256(b"".join(p.tobytes() for p in parameters.values()) + optimizer.save())
    print(f"parameters and states {digest.hexdigest()[:16]}")


if __name__ == "__main__":
    main()
