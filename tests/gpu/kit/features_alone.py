"""Steps that a GPU goes through without the host: another gradient in their middle, numbers that only the GPU
has, inputs that are not given. Each check does them on the GPU, the same on the CPU, and returns differences.
"""
from __future__ import annotations

import array
import ctypes
from typing import Any, Callable, Sequence

from cuda import Driver, Graph
from features import Pair
from library import LibraryError, Rule


def _check_regrad(driver: Driver, rule: Rule, is_one_graph: bool) -> list[str]:
    """The second gradient is where the first call has moved the parameters to; the copy is captured too.
    `is_one_graph`: with both calls."""
    pair = Pair(driver, rule)
    pair.step(2)
    optimizer, gradients = pair.gpu.optimizer, pair.gpu.gradients()

    def first() -> None:
        optimizer.step(gradients)

    def second() -> None:
        pair.gpu.copy_params_to_gradients()
        optimizer.step(gradients)
    works = [lambda: (first(), second())] if is_one_graph else [first, second]
    graphs = [Graph(driver, pair.gpu_place.stream, work) for work in works]
    found = ["it was captured whole, and waits for a gradient"] if optimizer.tell("is_waiting") else []
    for replay in range(4):
        for model in (pair.cpu, pair.gpu):
            model.optimizer.set_hyper("rho", 0.05 * (replay + 1))
            model.write_gradients(60 + replay)
        optimizer.call("cuda_send_hypers")
        pair.cpu.optimizer.step(pair.cpu.gradients())
        pair.cpu.copy_params_to_gradients()
        pair.cpu.optimizer.step(pair.cpu.gradients())
        for graph in graphs:
            graph.replay()
        found += pair.differences(f"after replay {replay + 1}")
    for graph in graphs:
        graph.close()
    pair.step()
    found += pair.differences("a step after the graphs")
    pair.close()
    return found


def check_regrad_graph(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """A step that asks for another gradient, captured whole."""
    return _check_regrad(driver, rules[name], True)


def check_regrad_graphs(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """Each of its two calls in a graph of its own."""
    return _check_regrad(driver, rules[name], False)


def check_gpu_input(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """A loss in the GPU's memory, float and double, in steps and in replays; then one of the host's again."""
    pair, found = Pair(driver, rules[name]), []
    place, stream, optimizer = driver.allocate(8), pair.gpu_place.stream, pair.gpu.optimizer
    for code, size in (("f", 4), ("d", 8)):
        optimizer.call("cuda_set_input", b"loss", place, size)
        graph = None
        for number in range(6):
            value = array.array(code, [3.7 / (number + 1)])
            loss = ctypes.c_double(value[0])
            if number == 2:
                graph = Graph(driver, stream, lambda: optimizer.step(pair.gpu.gradients()))
            driver.write(place, bytearray(value.tobytes()), stream)
            for model in (pair.cpu, pair.gpu):
                model.write_gradients(number)
            pair.cpu.optimizer.step(pair.cpu.gradients(), (ctypes.c_void_p * 1)(ctypes.addressof(loss)))
            if graph:
                graph.replay()
            else:
                optimizer.step(pair.gpu.gradients())
            found += pair.differences(f"{'replay' if graph else 'step'} with loss {number + 1} of {size} bytes")
        assert graph
        graph.close()
    optimizer.call("cuda_set_input", b"loss", None, 8)
    pair.step(2)
    found += pair.differences("with losses of the host again")
    pair.close()
    driver.free(place)
    return found[:6]


def check_given(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """A rule that asks whether it was given its input; a captured step that was not, replayed between the others."""
    pair, found = Pair(driver, rules[name]), []
    pair.step(2)
    for number in range(4):
        pair.step(is_given=number % 2 == 1)
        found += pair.differences(f"step {number + 3}")
    gradients = pair.gpu.gradients()
    graph = Graph(driver, pair.gpu_place.stream, lambda: pair.gpu.optimizer.step(gradients))
    for number in range(2):
        for model in (pair.cpu, pair.gpu):
            model.write_gradients(70 + number)
        pair.cpu.optimizer.step(pair.cpu.gradients())
        graph.replay()
        pair.step()
        found += pair.differences(f"replay {number + 1}, and a step that is given it")
    graph.close()
    pair.close()
    return found


def _refusal(call: Callable[[], Any]) -> str:
    try:
        call()
    except LibraryError as error:
        return str(error)
    return "nothing was refused"


def check_missing(driver: Driver, rules: dict[str, Rule], name: str) -> list[str]:
    """Without its input a step goes on that does not read it; one that does is refused by the GPU, when it is waited
    for, with the CPU's words, and has changed nothing."""
    pair = Pair(driver, rules[name])
    pair.step(2)
    pair.step(is_given=False)
    found = pair.differences("a step that reads no input")
    wanted = _refusal(lambda: pair.cpu.optimizer.step(pair.cpu.gradients()))
    if not wanted.startswith("step: MISSING_INPUT: "):
        found.append(f"on the CPU: {wanted}")
    pair.gpu.optimizer.step(pair.gpu.gradients())
    said = _refusal(lambda: pair.gpu.optimizer.call("cuda_wait", None))
    if said != wanted.replace("step", "cuda_wait", 1):
        found.append(f"{said}; on the CPU {wanted}")
    found += pair.differences("after the refusal")
    pair.step(2)
    found += pair.differences("two steps after it")
    pair.close()
    return found


#: As features.CHECKS.
CHECKS: Sequence[tuple[str, Callable[[Driver, dict[str, Rule], str], list[str]], Sequence[str]]] = (
    ("regrad_graph", check_regrad_graph, ("sharpness", "sharpness_double")),
    ("regrad_graphs", check_regrad_graphs, ("sharpness", "sharpness_double")),
    ("gpu_input", check_gpu_input, ("polyakstep", "momo", "momo_double")),
    ("given", check_given, ("sophiag", "sgld")),
    ("missing", check_missing, ("gathered_loss",)),
)
