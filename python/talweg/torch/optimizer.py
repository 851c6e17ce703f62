"""talweg.torch.Optimizer: any rule as an optimizer of torch."""
from __future__ import annotations

import collections
import contextlib
import dataclasses
import operator
import os
import threading
import weakref
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence

import torch

from .._rules import Rule
from . import devices, engines, groups, hooks, places, rules, state_dict, states, tensors, torch_format
from .gpu import GpuBound
from .hypers import Field, Hypers
from .inputs import gather


class Optimizer(torch.optim.Optimizer):
    """An optimizer of torch that runs a rule of talweg, all parameters in one call.

    `rule` is an expression ("ClipByGlobalNorm(1) | AdamW"), what talweg.compile returns, or a rule of
    a built library. Hypers go by the rule's names: as keywords, as keys of `param_groups`, and for
    every torch.optim.lr_scheduler. `threads` follows torch.get_num_threads() where it is None.

    `state[p]` has the rule's states of parameter p as tensors which are the states, not copies;
    `model_state` and `group_state` have the others. There is nothing in them before the first step.
    A rule counts steps (`t`) per optimizer, not per parameter; a parameter without gradient is left
    out of a step together with its states."""

    __module__ = "talweg.torch"

    def __init__(self, params: Iterable[Any], rule: Any, *, threads: Optional[int] = None, maximize: bool = False,
                 **hypers: Any) -> None:
        param_groups, dtype = groups.prepare(params)
        compiled = rules.resolve(rule, dtype, maximize)
        fields = [Field(hyper.name, (hyper.name,)) for hyper in compiled._table.hypers]
        known = Hypers(compiled._table.hypers, fields, {})
        defaults = known.defaults()
        for name in hypers:
            if name not in defaults:
                raise TypeError(f"the rule {compiled._table.name} has no hyper {name!r} that can be set; it has "
                                f"{', '.join(defaults) or 'none'}")
        self._start(param_groups, compiled, known, {**defaults, **hypers}, threads)

    def _start(self, param_groups: Sequence[dict[str, Any]], rule: Rule, hypers: Hypers, defaults: dict[str, Any],
               threads: Optional[int]) -> None:
        if threads is not None and not 1 <= operator.index(threads) <= 1024:
            raise ValueError(f"there cannot be {threads} threads: 1 to 1024")
        self._rule, self._hypers, self._threads = rule, hypers, threads
        self._begin()
        self.state = {}
        super().__init__(param_groups, defaults)

    def _begin(self) -> None:
        self._bound: Optional[engines.Bound] = None
        self._bound_threads = 0
        self._places: list[places.Parameters] = []
        self._restored: Optional[engines.Snapshot] = None
        self._changes = states.Changes()
        self._swapped: Optional[str] = None
        self._captured: list[engines.Bound] = []  # which graphs may run again
        self._stepping_thread = 0
        self._looks = rules.looks(self._rule)
        _optimizers.add(self)

    # ---- Groups ----

    @property
    def rule(self) -> Rule:
        return self._rule

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Also later: the states of other parameters stay as they are. A new parameter's begin then;
        the rule's `t` goes on."""
        if self._swapped is not None:
            raise RuntimeError(f"no group can be added inside evaluation({self._swapped!r})")
        known = getattr(self, "param_groups", [])
        index = len(known)
        param_group = groups.check(param_group, index, self._rule.dtype, self._looks)
        groups.check_device([param_group], next((parameter for group in known for parameter in group["params"]), None), index)
        filled = {**self.defaults, **param_group}
        self._hypers.check_group(filled, index)
        super().add_param_group(param_group)
        self._changes.pending = True

    # ---- The engine ----

    def _thread_count(self) -> int:
        return self._threads or torch.get_num_threads()

    def _ready(self) -> engines.Bound:
        """The engine over the parameters as they are now, with their hypers, where torch puts work now."""
        bound = self._current()
        bound.follow()
        return bound

    def _current(self) -> engines.Bound:
        bound = self._bound
        if (bound is None or self._changes.pending or bound.forked or not self._are_same(unmoved=True)
                or (bound.gpu is None and (self._threads or torch.get_num_threads()) != self._bound_threads)):
            bound = self._bind()
        self._hypers.apply(bound.engine, self.param_groups)
        return bound

    def _are_same(self, unmoved: bool) -> bool:
        """Whether nobody has put other parameters into the groups, or removed some; and moved none to other memory."""
        if len(self.param_groups) != len(self._places):
            return False
        for group, known in zip(self.param_groups, self._places):
            if not (known.are_unmoved if unmoved else known.are)(group["params"]):
                return False
        return True

    def _bind(self) -> engines.Bound:
        old = self._bound
        if self._swapped is not None:
            raise RuntimeError(f"parameters, groups or threads have changed inside evaluation({self._swapped!r})")
        if old is not None and old.engine.is_waiting:
            raise RuntimeError("parameters, groups or threads have changed in the middle of a step: do that outside of the "
                               "closure")
        members = groups.members(self.param_groups)
        for member in members:
            self._check_changed(member)
        threads = self._thread_count()
        bound = self._new_bound(members, threads, groups.check_device(self.param_groups, None, 0))
        self._hypers.forget()
        self._hypers.apply(bound.engine, self.param_groups)
        bound.write(states.taken(bound, self._state, old.read() if old is not None else self._restored))
        of_groups = [places.of_parameters(group["params"]) for group in self.param_groups]
        if old is not None and old.was_captured:
            self._captured.append(old)
        self._changes.pending = True  # an interrupt may come before all states are adopted: then all this is done again
        self._state.adopt(old.parameters if old is not None else (), bound)
        self._bound, self._bound_threads, self._restored, self._places = bound, threads, None, of_groups
        return bound

    def _new_bound(self, members: Sequence[engines.Member], threads: int, gpu: Optional[int]) -> engines.Bound:
        table, old = self._rule._table, self._bound
        if gpu is not None:
            if devices.is_capturing(gpu):
                raise RuntimeError("a graph cannot capture the first step of an optimizer, nor the first after parameters, "
                                   "groups or states have changed: make some steps before, as torch.cuda.graph needs them anyway")
            return GpuBound(table, members, len(self.param_groups), self._looks.at_shapes, gpu)
        reuses = old is not None and old.gpu is None and not old.forked and threads == self._bound_threads
        pool = old.pool if old is not None and reuses else table.pool(min(threads, 1024))
        return engines.Bound(table, members, len(self.param_groups), pool, self._looks.at_shapes)

    def _check_changed(self, member: engines.Member) -> None:
        """What a parameter may not have become since it was given."""
        parameter, said, dtype = member.parameter, member.said, self._rule.dtype
        tensors.check_kind(parameter, said)
        if tensors.DTYPES[parameter.dtype] != dtype:
            raise TypeError(f"{said} is {parameter.dtype} now, and its states are {dtype}: make a new optimizer after changing "
                            "types")
        shape = self._bound.shape_of(parameter) if self._bound is not None else None
        if shape is not None and shape != parameter.shape:
            raise ValueError(f"{said} has shape {tuple(parameter.shape)} now, and its states {tuple(shape)}: make a new "
                             "optimizer")

    @property
    def state(self) -> states.AllStates:
        """The states of parameters by name. What is put here counts from the next step on."""
        if self._bound is not None:
            self._bound.settle()
        return self._state

    @state.setter
    def state(self, given: Mapping[Any, Any]) -> None:
        self._state = states.AllStates(given, self._changes)
        self._changes.pending = True

    def _take_changes(self) -> None:
        """What is saved is what the next step would begin with."""
        if self._bound is not None and self._swapped is None and (self._changes.pending or not self._are_same(unmoved=False)):
            self._ready()

    @property
    def model_state(self) -> dict[str, torch.Tensor]:
        """The states that there are once, such as a loss's average."""
        return self._read().model

    @property
    def group_state(self) -> list[dict[str, torch.Tensor]]:
        """The states that there are once a group."""
        found = self._read().groups
        return [found.get(i, {}) for i in range(len(self.param_groups))]

    def _read(self) -> engines.Snapshot:
        bound = self._ready()
        bound.settle()
        return bound.snapshot

    @property
    def steps(self) -> int:
        """Completed steps, the rule's `t`. Held and skipped ones do not count."""
        return int(self._numbers().get("t", 0))

    def _numbers(self) -> dict[str, float]:
        now = self._snapshot()
        return now.counters if now is not None else {}

    def _snapshot(self) -> Optional[engines.Snapshot]:
        return self._bound.read() if self._bound is not None else self._restored

    def reset(self) -> None:
        """Back to the moment of creation, except for hypers and parameters."""
        self._ready().engine.reset()

    # ---- Steps ----

    def step(self, closure: Optional[Callable[[], Any]] = None, inputs: Optional[Mapping[str, Any]] = None) -> Any:
        """One step with the gradients of all parameters that have one. `closure` computes them, and
        the loss, which is returned; rules such as SAM call it again. `inputs` are for rules that read
        more than gradients, by name; `loss` is taken from the closure."""
        if hooks.are_wanted(self):
            return hooks.run(self, Optimizer._step, closure, inputs)
        return self._step(closure, inputs)

    #: torch wraps `step` once more, unless it says that this is done.
    step.hooked = True  # type: ignore[attr-defined]

    def _step(self, closure: Optional[Callable[[], Any]] = None, inputs: Optional[Mapping[str, Any]] = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if self._swapped is not None:
            raise RuntimeError(f"step() is not possible inside evaluation({self._swapped!r}): a view stands in for the "
                               "parameters")
        thread = threading.get_ident()  # no call comes between the next lines, where another thread might go on
        if self._stepping_thread:
            raise RuntimeError("a step of this optimizer is on its way: in another thread, or this is its closure")
        try:
            self._stepping_thread = thread
            bound = self._current()
            bound.scale(getattr(self, "found_inf", None), getattr(self, "grad_scale", None))
            given = self._inputs(bound, inputs, loss)
            if bound.step(given) == engines.REGRAD:
                self._step_again(bound, closure, given)
        except BaseException:
            if self._bound is not None:
                self._bound.abandon()  # an interrupt may come before _step_again has begun
            raise
        finally:
            self._stepping_thread = 0
        return loss

    def _step_again(self, bound: engines.Bound, closure: Optional[Callable[[], Any]], given: Optional[engines.Inputs]) -> None:
        """What the step has read besides gradients stays as it was."""
        kept = bound.memory()
        try:
            outcome = engines.REGRAD
            while outcome == engines.REGRAD:
                if closure is None:
                    raise RuntimeError(f"the rule {self._rule._table.name} asks for a gradient at another point: call "
                                       "step(closure), with a closure that computes gradients")
                with torch.enable_grad():
                    closure()
                if bound.moved():
                    raise RuntimeError("the closure has moved parameters to other memory in the middle of a step")
                outcome = bound.step(given)
        finally:
            bound.abandon()
            del kept

    def _inputs(self, bound: engines.Bound, given: Optional[Mapping[str, Any]], loss: Any) -> Optional[engines.Inputs]:
        parts = self._rule._table.inputs
        if not parts and not given:
            return None
        return gather(parts, given or {}, loss, groups.members(self.param_groups), len(self.param_groups), bound.gpu)

    # ---- GPUs ----

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """Whether GradScaler is to leave its scale to the step, which then asks nothing of the host."""
        return devices.hands_over_scales() and groups.are_on_gpu(self.param_groups)

    def send_hypers(self) -> None:
        """For CUDA graphs: puts the hypers of `param_groups` into the current stream. A step that a graph
        has captured takes them from its next replay on."""
        bound = self._ready()
        if not isinstance(bound, GpuBound):
            raise RuntimeError("send_hypers() is for parameters on a GPU: on the CPU every step takes the hypers as they are")
        bound.engine.send_hypers()

    # ---- Views ----

    @contextlib.contextmanager
    def evaluation(self, view: Optional[str] = None) -> Iterator[None]:
        """`with opt.evaluation():` has a view of the rule, such as the average of Ema, in place of
        the parameters."""
        name = rules.default_view(self._rule._table, view)
        if self._swapped is not None:
            raise RuntimeError(f"evaluation({name!r}) inside evaluation({self._swapped!r})")
        bound = self._ready()
        kept = bound.memory()
        bound.engine.swap_in(name)
        self._swapped = name
        try:
            bound.tell_autograd_of_all()
            yield
        finally:
            self._swapped = None
            try:
                bound.follow()
                bound.engine.put_back()
            except BaseException:  # an interrupt, maybe before it
                bound.engine.put_back()
                raise
            bound.tell_autograd_of_all()
            del kept
            if list(map(tensors.address_of, bound.parameters)) != bound.addresses:
                raise RuntimeError(f"parameters have moved to other memory inside evaluation({name!r}): they have the view's "
                                   "values there")

    # ---- Saving ----

    def state_dict(self) -> dict[str, Any]:
        """As torch's, with the rule's states by name, and what else they need under "talweg". As in
        torch, tensors of parameters are the states themselves, not copies."""
        self._take_changes()
        return state_dict.save(self, super().state_dict())

    def load_state_dict(self, state_dict_: Mapping[str, Any]) -> None:
        """What state_dict() has returned, or the state_dict of a torch.optim that the rule's states
        are those of."""
        state_dict.load(self, state_dict_)

    def torch_state_dict(self) -> dict[str, Any]:
        """The states as the optimizer of torch.optim that the rule is saves them."""
        return torch_format.export(self)

    def __getstate__(self) -> dict[str, Any]:
        if self._swapped is not None:
            raise RuntimeError(f"no copy can be made inside evaluation({self._swapped!r})")
        self._take_changes()
        now = self._snapshot()
        return {"defaults": self.defaults, "param_groups": self.param_groups, "_rule": self._rule, "_hypers": self._hypers,
                "state": collections.defaultdict(dict, {key: state_dict.alone(own) for key, own in self.state.items()}),
                "_threads": self._threads, "_restored": now and now.without_parameters()}

    def __copy__(self) -> Optimizer:
        """The same optimizer once more: as in torch groups and states are in common, and a step of one is
        a step of both. copy.deepcopy makes one of its own."""
        same = type(self).__new__(type(self))
        same.__dict__ = self.__dict__
        self.__dict__.setdefault("_first", self)  # schedulers have wrapped its `step`, and hold on to it weakly
        _optimizers.add(same)
        return same

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        given = state.pop("state", {})
        super().__setstate__(state)
        restored = self._restored
        self._begin()
        self.state = given
        self._hypers.forget()
        if restored is not None:
            self._restored = dataclasses.replace(restored, parameters=dict(self.state))


_optimizers: weakref.WeakSet[Optimizer] = weakref.WeakSet()


def _after_fork() -> None:
    """A child has only the thread that forked: a step of another one will never end there."""
    for optimizer in list(_optimizers):
        if optimizer._stepping_thread not in (0, threading.get_ident()):
            optimizer._stepping_thread = 0
            if optimizer._bound is not None and optimizer._bound.pool is None and optimizer._bound.gpu is None:
                optimizer._bound.engine.abandon()


os.register_at_fork(after_in_child=_after_fork)
