"""GPUs for tests of talweg.torch where there is none: tensors of the host count as tensors of the pretended
driver (tests/gpu/fake_driver), which runs kernels by interpreted PTX and refuses memory that it was not shown."""
import contextlib
import ctypes
import gc
import os
import pathlib
import sys

from torch_support import Case, give_gradients, torch, twins

from talweg.torch import devices

_OF_THREAD = 1


def _storage_of(tensor):
    return tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()


class Gpus:
    """Stands for torch.cuda in talweg.torch.devices."""

    def __init__(self, count=1):
        named = os.environ.get("TALWEG_CUDA_DRIVER", "")
        if not pathlib.Path(named).is_file():
            print("skipped: TALWEG_CUDA_DRIVER does not name the pretended driver")
            sys.exit(77)
        self.driver = ctypes.CDLL(named)
        self.driver.fake_cuda_admit.argtypes = ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t
        self.driver.fake_cuda_admit.restype = None
        self.driver.fake_cuda_log_lines.restype = ctypes.c_size_t
        self.driver.fake_cuda_log_line.argtypes, self.driver.fake_cuda_log_line.restype = [ctypes.c_size_t], ctypes.c_char_p
        self.driver.fake_cuda_fault.restype = ctypes.c_char_p
        self.driver.fake_cuda_fail.argtypes = ctypes.c_char_p, ctypes.c_int, ctypes.c_int
        self.driver.fake_cuda_reset(count)
        self.driver.fake_cuda_set_delay(0)
        self("cuInit", 0)
        self.contexts = []
        for gpu in range(count):
            context = ctypes.c_void_p()
            self("cuDevicePrimaryCtxRetain", ctypes.byref(context), gpu)
            self.contexts.append(context)
        self.streams, self.capturing, self.allocated, self.emptied = {}, False, [], 0
        self._gpus, self._kept = {}, []

    def __call__(self, function, *arguments):
        result = getattr(self.driver, function)(*arguments)
        if result != 0:
            raise AssertionError(f"{function} gave {result}: {self.driver.fake_cuda_fault().decode()}")

    def admit(self, tensor, gpu=0):
        """Has a tensor of the host count as one of a GPU."""
        storage = _storage_of(tensor)
        size = storage.nbytes() if hasattr(storage, "nbytes") else storage.size() * tensor.element_size()
        if size > 0:
            self.driver.fake_cuda_admit(gpu, storage.data_ptr(), size)
            self._gpus[storage.data_ptr()] = gpu
            self._kept.append(tensor.detach())  # or another tensor might get the address
        return tensor

    def admit_all(self, tensors, gpu=0):
        for tensor in tensors:
            self.admit(tensor, gpu)
        return tensors

    def admit_gradients(self, parameters):
        """What a backward pass has made."""
        for parameter in parameters:
            if parameter.grad is not None:
                self.admit(parameter.grad, self.gpu_of(parameter))

    def calls(self, name):
        """How often the driver was asked for something."""
        lines = [self.driver.fake_cuda_log_line(i) for i in range(self.driver.fake_cuda_log_lines())]
        return sum(line.startswith(name.encode()) for line in lines)

    def new_stream(self, gpu=0):
        stream = ctypes.c_void_p()
        with self.using(gpu):
            self("cuStreamCreate", ctypes.byref(stream), 1)
        return stream.value

    def synchronize(self, gpu=0, stream=0):
        with self.using(gpu):
            self("cuStreamSynchronize", ctypes.c_void_p(stream or None))

    @contextlib.contextmanager
    def capture(self, stream, graph, gpu=0):
        """Work in the stream becomes a graph, which is put into a list as a function that replays it."""
        with self.using(gpu):
            self("cuStreamBeginCapture_v2", ctypes.c_void_p(stream), _OF_THREAD)
        before, self.streams[gpu], self.capturing = self.streams.get(gpu, 0), stream, True
        captured, made = ctypes.c_void_p(), ctypes.c_void_p()
        try:
            yield
        finally:
            self.capturing, self.streams[gpu] = False, before
            with self.using(gpu):
                ended = self.driver.cuStreamEndCapture(ctypes.c_void_p(stream), ctypes.byref(captured))
        assert ended == 0, ended
        self("cuGraphInstantiateWithFlags", ctypes.byref(made), captured, ctypes.c_ulonglong(0))

        def replay():
            with self.using(gpu):
                self("cuGraphLaunch", made, ctypes.c_void_p(before or None))
            self.synchronize(gpu, before)

        graph.append(replay)

    # ---- What talweg.torch.devices has ----

    def gpu_of(self, tensor):
        if tensor.device.type != "cpu" or tensor.numel() == 0 or tensor.layout != torch.strided:
            return None
        return self._gpus.get(_storage_of(tensor).data_ptr())

    @contextlib.contextmanager
    def using(self, gpu):
        self("cuCtxPushCurrent_v2", self.contexts[gpu])
        try:
            yield
        finally:
            self("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))

    def stream(self, gpu):
        return self.streams.get(gpu, 0)

    def is_capturing(self, gpu):
        return self.capturing

    def is_capturing_at_all(self, gpu):
        return self.capturing

    def empty_cache(self):
        self.emptied += 1

    def memory(self, size, gpu):
        self.allocated.append((size, gpu))
        return self.admit(torch.zeros(size, dtype=torch.uint8), gpu)

    def joined(self, numbers):
        return self.admit(_joined(numbers), self.gpu_of(numbers[0]))

    def empty_like(self, parameter):
        made = torch.empty_strided(parameter.size(), parameter.stride(), dtype=parameter.dtype)
        return self.admit(made, self.gpu_of(parameter)) if self.gpu_of(parameter) is not None else made


#: What a test replaces.
NAMES = ("gpu_of", "using", "stream", "is_capturing", "is_capturing_at_all", "empty_cache", "memory", "joined", "empty_like")
_joined = devices.joined


def install(gpus):
    """Puts it in place of torch.cuda. Returns a function that puts all back."""
    before = {name: getattr(devices, name) for name in NAMES}
    for name in NAMES:
        setattr(devices, name, getattr(gpus, name))

    def restore():
        for name, value in before.items():
            setattr(devices, name, value)

    return restore


class OnGpu(Case):
    """With pretended GPUs."""

    count = 1

    def setUp(self):
        self.gpus = Gpus(self.count)
        self.addCleanup(gc.collect)
        self.addCleanup(install(self.gpus))

    def twins(self, *shapes, **options):
        """Parameters on the GPU, and the same on the CPU."""
        own, other = twins(*shapes, **options)
        return self.gpus.admit_all(own), other

    def gradients(self, seed, *lists):
        give_gradients(*lists, seed=seed)
        for own in lists:
            if self.gpus.gpu_of(own[0]) is not None:
                self.gpus.admit_gradients(own)

    def run_both(self, optimizer, own, alone, other, steps, first=0):
        for step in range(first, first + steps):
            self.gradients(step, own, other)
            optimizer.step()
            alone.step()
