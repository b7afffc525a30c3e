"""A device of torch: its name, its memory, and what to do when that is full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from compute.engines.engine import EvaluationError, Floats, OutOfMemoryError
from compute.engines.foreign_errors import described
from lake.errors import InvalidInputError, JobFailedError

Result = TypeVar("Result")

DTYPES = ("float32", "float64")
# Not every allocation is made by torch's allocators, so not every failure is of its class.
_FULL = ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "bad_alloc")
# After one of these the process can compute nothing more on the device.
_BROKEN = ("CUDA error", "cuDNN error", "HIP error")


class TorchDevice:
    """Where a model runs.

    Parameters
    ----------
    name
        ``cpu``, ``cuda``, ``cuda:n``, or ``auto``: a GPU where there is one.

    Raises
    ------
    InvalidInputError
        There is no such device.
    """

    def __init__(self, name: str) -> None:
        import torch

        self.name = resolve_name(name)
        self.device = torch.device(self.name)
        self.is_gpu = self.device.type == "cuda"

    def use_full_precision(self) -> None:
        """Have float32 mean float32: TF32 keeps 10 bits of the mantissa."""
        import torch

        if not self.is_gpu:
            return
        if hasattr(torch.backends, "fp32_precision"):  # torch 2.9 and later
            torch.backends.fp32_precision = "ieee"
        else:
            torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False

    def place(self, network: Any, dtype: Any = None) -> Any:
        """The network on the device, for evaluation only; `dtype` None leaves its weights as are.

        Raises
        ------
        JobFailedError
            There is no room for it, or the device does not answer.
        """
        import torch

        try:
            placed = network.to(self.device, dtype)
        except RuntimeError as error:
            raise JobFailedError(
                f"The model cannot be put on {self.name}: {described(error)}. A device with room "
                "for its weights is expected. Free the device, or choose another."
            ) from None
        if self.is_gpu:
            # Else the greatest use of the model before this one would be taken for its own.
            torch.cuda.reset_peak_memory_stats(self.device)
        placed.eval()
        placed.requires_grad_(requires_grad=False)
        return placed

    def host_tensor(self, array: NDArray[Any], dtype: Any = None) -> Any:
        """The array as a tensor the device can fetch while it computes."""
        import torch

        tensor = torch.from_numpy(array)
        if dtype is not None:
            tensor = tensor.to(dtype)
        return tensor.pin_memory() if self.is_gpu else tensor

    def put(self, tensor: Any) -> Any:
        """The tensor of the host, on the device."""
        return tensor.detach().to(self.device, non_blocking=True)

    def within_memory(self, compute: Callable[[], Result]) -> Result:
        """The result of `compute`.

        Raises
        ------
        OutOfMemoryError
            There was no room. What the computation held is free again.
        EvaluationError
            The model failed on what it was given.
        JobFailedError
            The device failed.
        """
        try:
            return compute()
        except MemoryError as error:
            reason = described(error)
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            reason = described(error)
            if not any(text in str(error) for text in _FULL):
                raise self._failure(error) from None
        # Only after the handler nothing holds the frames, and with them the tensors, any longer.
        self._empty_cache()
        raise OutOfMemoryError(f"The batch does not fit into the memory of {self.name}: {reason}")

    def _failure(self, error: RuntimeError) -> JobFailedError:
        if self.is_gpu and any(text in str(error) for text in _BROKEN):
            return JobFailedError(
                f"{self.name} failed: {described(error)}. What was committed stays. Run the same "
                "command again; if it fails at the same place, look at the device with nvidia-smi."
            )
        return EvaluationError(f"the model failed: {described(error)}")

    def memory_bytes(self) -> tuple[int, int] | None:
        """Greatest use by tensors so far, and what there is for us; None on the CPU."""
        import torch

        if not self.is_gpu:
            return None
        free, _ = torch.cuda.mem_get_info(self.device)
        there = free + torch.cuda.memory_reserved(self.device)  # less what other processes took
        return torch.cuda.max_memory_allocated(self.device), there

    def _empty_cache(self) -> None:
        import torch

        if self.is_gpu:
            torch.cuda.empty_cache()


def resolve_name(name: str) -> str:
    """The device meant by ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.

    Raises
    ------
    InvalidInputError
        There is no such device.
    """
    import torch

    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cpu", *(f"cuda:{i}" for i in range(n_gpus))]
    if name == "auto":
        return "cuda:0" if n_gpus else "cpu"
    found = "cuda:0" if name == "cuda" else name
    if found not in there:
        raise InvalidInputError(
            f"Device {name}: torch {torch.__version__} finds {', '.join(there)} here. "
            "Choose one of these, or auto."
        )
    return found


def resolve_dtype(dtype: str | None) -> Any:
    """The type of torch, or None.

    Raises
    ------
    InvalidInputError
        It is neither float32 nor float64.
    """
    import torch

    if dtype is None:
        return None
    if dtype not in DTYPES:
        raise InvalidInputError(f"dtype {dtype}: {' or '.join(DTYPES)} expected.")
    return getattr(torch, dtype)


def dtype_name(dtype: Any) -> str:
    """``float32`` for ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def to_host(tensor: Any) -> Floats:
    """The values, as float64."""
    values: Floats = tensor.detach().cpu().numpy()
    return values.astype(np.float64)
