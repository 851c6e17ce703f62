"""What optimizers on a GPU can do beside stepping: each check does it on the GPU, the same on the
CPU, and returns differences; none is as it should be.
"""
from __future__ import annotations

import ctypes
import struct
from typing import Any, Callable, Sequence

from cuda import Driver, Graph
from library import Optimizer, LibraryError, Rule, Tensor
from model import Gpu, Host, Model, differences

SHAPES: Sequence[Sequence[int]] = [(131,), (33, 65), (), (0, 3), (40, 1), (1025,)]


class Pair:
    """The same model on the CPU and on a GPU."""

    def __init__(self, driver: Driver, rule: Rule, shapes: Sequence[Sequence[int]] = SHAPES) -> None:
        self.gpu_place = Gpu(driver)
        self.cpu, self.gpu = Model(Host(), rule, shapes, 2), Model(self.gpu_place, rule, shapes, 2)

    def step(self, count: int = 1, is_given: bool = True) -> None:
        for _ in range(count):
            ends = self.cpu.step(is_given=is_given), self.gpu.step(is_given=is_given)
            if ends[0] != ends[1]:
                raise LibraryError("step", "outcome", f"{ends[1]} on the GPU, {ends[0]} on the CPU")

    def differences(self, after: str) -> list[str]:
        return [f"{after}: {text}" for text in differences(self.gpu.results(), self.cpu.results())]

    def close(self) -> None:
        self.cpu.close()
        self.gpu.close()
        self.gpu_place.close()


def check_save(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """States that one has saved the other loads; both save the same bytes."""
    pair = Pair(driver, rules[name])
    pair.step(2)
    cpu, gpu = pair.cpu.optimizer.save(), pair.gpu.optimizer.save()
    found = [] if cpu == gpu else ["the two save other bytes"]
    pair.step()
    pair.cpu.optimizer.load(gpu)
    pair.gpu.optimizer.load(cpu)
    found += pair.differences("after loading")
    pair.step(2)
    found += pair.differences("two steps after loading")
    pair.cpu.optimizer.call("reset")
    pair.gpu.optimizer.call("reset")
    pair.step()
    found += pair.differences("a step after a reset")
    pair.close()
    return found


def _check_graph(driver: Driver, rule: Rule, is_sent: bool) -> list[str]:
    """`is_sent`: the capture comes after one step and send_hypers, otherwise after two steps."""
    pair = Pair(driver, rule)
    pair.step(1 if is_sent else 2)
    gradients, optimizer = pair.gpu.gradients(), pair.gpu.optimizer
    if is_sent:
        optimizer.call("cuda_send_hypers")
    graph = Graph(driver, pair.gpu_place.stream, lambda: optimizer.step(gradients))
    found = []
    for replay in range(4):
        for model in (pair.cpu, pair.gpu):
            model.write_gradients(50 + replay)
            model.optimizer.set_hyper("lr", 0.01 / (replay + 1))
        optimizer.call("cuda_send_hypers")
        pair.cpu.optimizer.step(pair.cpu.gradients())
        graph.replay()
        found += pair.differences(f"after replay {replay + 1}")
    graph.close()
    pair.step()
    found += pair.differences("a step after the graph")
    pair.close()
    return found


def check_graph(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """A step that was captured reads gradients and hypers where they are when it is replayed."""
    return _check_graph(driver, rules[name], False)


def check_graph_sent(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """The other way to a capture: one step, and the hypers are sent."""
    return _check_graph(driver, rules[name], True)


def check_streams(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """Two optimizers in two streams; one of them moves to a third."""
    pairs = [Pair(driver, rules[name]), Pair(driver, rules[name], [(70001,), (65, 3)])]
    third = driver.stream()
    for number in range(4):
        for pair in pairs:
            pair.cpu.write_gradients(number)
            pair.gpu.write_gradients(number)
        for pair in pairs:
            pair.gpu.optimizer.step(pair.gpu.gradients())
        for pair in pairs:
            pair.cpu.optimizer.step(pair.cpu.gradients())
        if number == 1:
            pairs[0].gpu.optimizer.call("cuda_set_stream", third)
    found = [text for pair in pairs for text in pair.differences("after four steps")]
    pairs[0].gpu.optimizer.call("cuda_set_stream", pairs[0].gpu_place.stream)
    for pair in pairs:
        pair.close()
    driver.end_stream(third)
    return found


def check_scaling(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """Gradients are multiplied by 1 / scale first; a step with found_inf is left out."""
    pair, found = Pair(driver, rules[name]), []
    flags = driver.allocate(8)
    pair.gpu.optimizer.call("cuda_set_scaling", flags, flags + 4)
    for number in range(4):
        driver.write(flags, bytearray(struct.pack("ff", float(number == 2), 8.0)), pair.gpu_place.stream)
        pair.gpu.write_gradients(number)
        pair.gpu.optimizer.outcome(pair.gpu.optimizer.step(pair.gpu.gradients()))
        if number != 2:
            pair.cpu.write_gradients(number, scale=0.125)
            pair.cpu.optimizer.step(pair.cpu.gradients())
        found += pair.differences(f"after call {number + 1}")
    pair.gpu.optimizer.call("cuda_set_scaling", None, None)
    pair.step()
    found += pair.differences("without scaling again")
    pair.close()
    driver.free(flags)
    return found


def check_memory(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """An optimizer for which there is no memory is refused; all others go on, and it can be made later.

    The parameters are 40 % of what is free, so that AdamW's states would be 80 %: no more is taken of a GPU that
    others use too.
    """
    pair, found = Pair(driver, rules[name]), []
    pair.step()
    free, stream = driver.memory()[0], pair.gpu_place.stream
    large, small = free // 10 * 4, free // 100
    param = driver.allocate(large)
    try:
        try:
            Optimizer(rules[name], [Tensor("large", (large // 4,), param, 0)], 1, stream).destroy()
            found.append("an optimizer was made although there is no memory")
        except LibraryError as error:
            if "MEMORY" not in str(error):
                found.append(f"refused for another reason: {error}")
        pair.step()
        found += pair.differences("after an optimizer was refused")
        Optimizer(rules[name], [Tensor("small", (small // 4,), param, 0)], 1, stream).destroy()
        pair.step()
        found += pair.differences("after one that fits")
    finally:
        driver.free(param)
    pair.close()
    return found


def check_refusals(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """What is wrong is refused, and nothing has changed."""
    pair, found = Pair(driver, rules[name]), []
    pair.step()
    overlapping = pair.gpu.gradients()
    overlapping[0] = pair.gpu.param_address(0)
    wrong: dict[str, Callable[[], Any]] = {
        "OVERLAP": lambda: pair.gpu.optimizer.step(overlapping),
        "OUT_OF_RANGE": lambda: pair.gpu.optimizer.set_hyper("lr", -1.0),
        "BAD_DATA": lambda: pair.gpu.optimizer.load(b"\x08" + bytes(60)),
        "UNKNOWN_NAME": lambda: pair.gpu.optimizer.set_hyper("speed", 1.0),
        "BAD_ARGUMENT": lambda: pair.cpu.optimizer.call("cuda_wait", ctypes.c_int()),
    }
    for status, call in wrong.items():
        try:
            call()
            found.append(f"{status} was expected, and nothing refused")
        except LibraryError as error:
            if error.status != status:
                found.append(f"{status} was expected: {error}")
    pair.step()
    found += pair.differences("after what was refused")
    pair.close()
    return found


#: Name, what does it, and the rules it is done with.
CHECKS: Sequence[tuple[str, Callable[[Driver, dict[str, Rule], str], list[str]], Sequence[str]]] = (
    ("save", check_save, ("adamw", "adafactor", "train", "adamw_double")),
    ("graph", check_graph, ("adamw", "adafactor", "train", "lamb")),
    ("graph_sent", check_graph_sent, ("adamw", "adafactor", "train", "lamb")),
    ("streams", check_streams, ("adamw", "train")),
    ("scaling", check_scaling, ("adamw", "train")),
    ("memory", check_memory, ("adamw",)),
    ("refusals", check_refusals, ("adamw",)),
)
