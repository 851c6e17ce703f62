"""What torch_steps.py compares: optimizers of PyTorch, optax and talweg that compute the same.

Each peer is made from tensors with gradients, has step(), and gives out its parameters at the end. Those of torch and
talweg step the tensors they were given; optax has arrays of its own.
"""
import torch

import talweg.torch

ADAMW = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
LIMIT, DECAY = 1.0, 0.999


class Peer:
    """A step of AdamW, or (pipeline) of clipping by the global norm, AdamW and an average of the parameters."""

    def __init__(self, params, pipeline):
        self.params, self.pipeline = params, pipeline

    def values(self):
        return [param.detach() for param in self.params]

    def averages_of(self):
        raise NotImplementedError


class Talweg(Peer):
    rule = "ClipByGlobalNorm(1) | AdamW | Ema(decay = 0.999)"

    def __init__(self, params, pipeline):
        super().__init__(params, pipeline)
        if pipeline:
            hypers = dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2)
            self.optimizer = talweg.torch.Optimizer(params, rule=self.rule, **hypers)
        else:
            self.optimizer = talweg.torch.AdamW(params, **ADAMW)
        self.step = self.optimizer.step

    def averages_of(self):
        with self.optimizer.evaluation():
            return [param.detach().clone() for param in self.params]


class Torch(Peer):
    """torch.optim.AdamW in one of its forms; a pipeline as its users put it together."""

    form = None
    clips_foreach = True

    def __init__(self, params, pipeline):
        super().__init__(params, pipeline)
        choice = {"foreach": False} if self.form is None else {self.form: True}
        self.optimizer = torch.optim.AdamW(params, **ADAMW, **choice)
        self.averages = [param.detach().clone() for param in params] if pipeline else []
        self.step = self.run if pipeline else self.optimizer.step

    def clip(self):
        try:
            torch.nn.utils.clip_grad_norm_(self.params, LIMIT, foreach=self.clips_foreach)
        except TypeError:  # before torch 2.0 there is one form only
            torch.nn.utils.clip_grad_norm_(self.params, LIMIT)

    def average(self):
        if self.clips_foreach and hasattr(torch, "_foreach_lerp_"):
            torch._foreach_lerp_(self.averages, self.params, 1 - DECAY)
        else:
            for average, param in zip(self.averages, self.params):
                average.lerp_(param, 1 - DECAY)

    def run(self):
        self.clip()
        self.optimizer.step()
        with torch.no_grad():
            self.average()

    def averages_of(self):
        return self.averages


class Single(Torch):
    clips_foreach = False


class Foreach(Torch):
    form = "foreach"


class Fused(Torch):
    form = "fused"


class Compiled(Foreach):
    """The step under torch.compile; making it includes compiling."""

    def __init__(self, params, pipeline):
        super().__init__(params, pipeline)
        self.step = torch.compile(self.step)


class Optax(Peer):
    """optax under jit, with the memory of its arguments given away."""

    def __init__(self, params, pipeline):
        super().__init__(params, pipeline)
        import jax
        import jax.numpy as jnp
        import optax
        self.jax = jax
        beta1, beta2 = ADAMW["betas"]
        rule = optax.adamw(ADAMW["lr"], beta1, beta2, ADAMW["eps"], weight_decay=ADAMW["weight_decay"])
        if pipeline:
            rule = optax.chain(optax.clip_by_global_norm(LIMIT), rule)

        def step(values, state, averages, gradients):
            updates, state = rule.update(gradients, state, values)
            values = optax.apply_updates(values, updates)
            if pipeline:
                averages = optax.incremental_update(values, averages, 1 - DECAY)
            return values, state, averages

        self.arrays = [jnp.array(param.detach().numpy()) for param in params]
        self.gradients = [jnp.array(param.grad.numpy()) for param in params]
        self.averages = [jnp.array(array) for array in self.arrays] if pipeline else []
        self.state = rule.init(self.arrays)
        self.compiled = jax.jit(step, donate_argnums=(0, 1, 2))

    def step(self):
        self.arrays, self.state, self.averages = self.compiled(self.arrays, self.state, self.averages, self.gradients)
        self.jax.block_until_ready((self.arrays, self.state, self.averages))

    def values(self):
        return [torch.tensor(array.tolist()) for array in self.arrays]

    def averages_of(self):
        return [torch.tensor(array.tolist()) for array in self.averages]


PEERS = {"talweg": Talweg, "single": Single, "foreach": Foreach, "fused": Fused, "compiled": Compiled, "optax": Optax}


def why_missing(name):
    """Why a peer cannot be run here, or None."""
    tensor = torch.nn.Parameter(torch.zeros(2))
    tensor.grad = torch.ones(2)
    try:
        if name == "compiled" and not hasattr(torch, "compile"):
            return f"torch {torch.__version__} has no torch.compile"
        peer = PEERS[name]([tensor], False)
        if name != "compiled":
            peer.step()
        return None
    except (ImportError, TypeError, RuntimeError) as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[-1]
