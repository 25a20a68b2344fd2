"""Where to compute: a device by name, or the best that there is."""

import torch

from tslam.errors import ConfigError

__all__ = ["resolve"]


def resolve(device: str) -> torch.device:
    """The device of that name.

    Args:
        device: ``"auto"`` (a CUDA device where there is one, else the CPU), ``"cpu"``, ``"cuda"`` or
            ``"cuda:1"`` and so on.

    Raises:
        ConfigError: there is no such device here.
    """
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if device == "auto":
        return torch.device(cuda[0] if cuda else "cpu")
    if device == "cuda" and cuda:
        return torch.device(cuda[0])
    if device in ("cpu", *cuda):
        return torch.device(device)
    raise ConfigError(f"There is no device {device!r} here. Give one of {['auto', 'cpu', *cuda]}.")
