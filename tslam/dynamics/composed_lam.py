"""A trained composition as a latent action model: arrays in, arrays out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from tslam.dynamics.bottleneck import Codebooks, Grid
from tslam.dynamics.composed import ComposedNet, NetSpec, Transition
from tslam.dynamics.composition import Composition
from tslam.dynamics.forward import LinearForward
from tslam.dynamics.inverse import HeldInverse, LatentPath, Mode
from tslam.dynamics.lam import LAM, log_score
from tslam.dynamics.linear import residual_covariance
from tslam.dynamics.steady import one_thread
from tslam.errors import ArtifactError

__all__ = ["ComposedLAM"]

_MOST_PERSISTENT = 0.9995
_LIVE = 1e-6
"""Spread of a latent below which it counts as still."""


@dataclass(frozen=True, eq=False)
class ComposedLAM(LAM):
    """Latents read by a network, transition by transition.

    ``forward`` is the ridge start. ``inverse`` describes the latents that the network reads, for causal
    predictions: their linear effect, and how long they last; it reads nothing itself.
    """

    net: ComposedNet
    order: Int[np.ndarray, " latent"]
    """Latents by their share of what the ridge start leaves, largest first."""
    centre: Float[np.ndarray, " latent"]
    spread: Float[np.ndarray, " latent"]

    @classmethod
    def of(
        cls,
        net: ComposedNet,
        start: LinearForward,
        X: Float[np.ndarray, "n feat"],
        Y: Float[np.ndarray, "n chan"],
        segment: Bool[np.ndarray, " n"],
        rows: Bool[np.ndarray, " n"],
    ) -> Self:
        """The model of a trained net, its latents in order and of unit variance over the rows given.

        Args:
            net: The trained net.
            start: Its ridge start.
            X: Regressors of consecutive transitions.
            Y: Next samples; NaN where not measured.
            segment: True where a segment begins.
            rows: Training rows.
        """
        left = Y - start.mean(X)
        raw, _ = _read(net, X, Y)
        used = rows & np.isfinite(raw).all(axis=1)
        centre, spread = raw[used].mean(axis=0), raw[used].std(axis=0)
        spread = np.where(spread > _LIVE, spread, 1.0)
        z = np.where(np.isfinite(raw), (raw - centre) / spread, 0.0)
        F = z[used]
        gram = F.T @ F + 1e-6 * len(F) * np.eye(F.shape[1])
        B = np.linalg.solve(gram, F.T @ left[used]).T
        order = np.argsort(-np.linalg.norm(B, axis=0) * F.std(axis=0), kind="stable")
        next_to = used[1:] & used[:-1] & ~segment[1:]
        power = (z[1:][next_to] ** 2).mean(axis=0)
        phi = (z[1:] * z[:-1])[next_to].mean(axis=0) / np.maximum(power, 1e-12)
        inverse = HeldInverse(
            B[:, order],
            residual_covariance(left - z @ B.T, used),
            np.clip(phi, 0.0, _MOST_PERSISTENT)[order],
        )
        cov = residual_covariance(left, rows)
        return cls("composed", start, inverse, start, cov, net, order, centre, spread)

    def infer(
        self,
        X: Float[np.ndarray, "n feat"],
        Y: Float[np.ndarray, "n chan"],
        start: Bool[np.ndarray, " n"],
        mode: Mode = "smoothed",  # noqa: ARG002 - a transition is read alone, in either mode
    ) -> LatentPath:
        """Latents of consecutive transitions; NaN where o_{t+1} was not measured whole."""
        assert self.inverse is not None
        z = self._scaled(_read(self.net, X, Y)[0])
        n, k = z.shape
        before = np.zeros((n, k))
        before[1:] = np.where(start[1:, None], 0.0, np.nan_to_num(z[:-1]))
        still = np.zeros((n, k, k))
        return LatentPath(z, still, still, before * self.inverse.phi, still, np.zeros(n))

    def apply(
        self, X: Float[np.ndarray, "n feat"], z: Float[np.ndarray, "n latent"]
    ) -> Float[np.ndarray, "n chan"]:
        """The next sample under these latents, by the network."""
        raw = np.empty_like(z)
        raw[:, self.order] = z * self.spread[self.order] + self.centre[self.order]
        with one_thread(), torch.inference_mode():
            return np.asarray(
                self.net.apply_latents(self._tensor(X), self._tensor(raw).float()).cpu().numpy()
            )

    def levels(
        self, X: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"], start: Bool[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n latent"]:
        """What the network reads of each transition: nothing is smoothed, and nothing held."""
        return self.infer(X, Y, start).mean

    def codes(
        self, X: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"]
    ) -> Int[np.ndarray, "whole book"] | None:
        """Entries of the codebooks of transitions measured whole; None where z is continuous."""
        return _read(self.net, X, Y)[1]

    @property
    def codebook(self) -> int | None:
        """Entries of a codebook; None where z is continuous."""
        squeeze = self.net.squeeze
        return squeeze.size if isinstance(squeeze, Codebooks | Grid) else None

    def causal_gain_of(
        self,
        latent: int,
        X: Float[np.ndarray, "n feat"],
        Y: Float[np.ndarray, "n chan"],
        start: Bool[np.ndarray, " n"],
    ) -> Float[np.ndarray, " n"]:
        """What one latent, as known at t, adds to the prediction of each transition, in nats."""
        assert self.inverse is not None
        left = Y - self.baseline.mean(X)
        prior = self.infer(X, Y, start).prior[:, latent, None]
        added = prior @ self.inverse.B[:, latent, None].T
        return np.asarray(log_score(left - added, self.baseline_cov) - log_score(left, self.baseline_cov))

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Composition and sizes (for JSON) and weights (for safetensors)."""
        arrays = {
            f"net.{k}": np.atleast_1d(v.detach().cpu().numpy()) for k, v in self.net.state_dict().items()
        }
        own = {"order": self.order, "centre": self.centre, "spread": self.spread}
        return {"parts": self.net.parts.model_dump(mode="json"), "sizes": asdict(self.net.spec)}, arrays | own

    @classmethod
    def from_state(
        cls, plain: LAM, spec: Mapping[str, Any], arrays: Mapping[str, np.ndarray], device: torch.device | str
    ) -> Self:
        """The model that ``to_state`` described.

        Raises:
            ArtifactError: sizes and weights do not fit together.
        """
        with torch.random.fork_rng(devices=[]):
            net = ComposedNet(Composition.model_validate(spec["parts"]), NetSpec(**spec["sizes"]))
        own = net.state_dict()
        found = {k.removeprefix("net."): v for k, v in arrays.items() if k.startswith("net.")}
        wrong = sorted(
            k for k in own.keys() | found.keys() if k not in own or k not in found
            or tuple(own[k].shape or (1,)) != found[k].shape
        )  # fmt: skip
        if wrong:
            raise ArtifactError(f"Arrays {wrong} do not fit a composed network. Save the model again.")
        net.load_state_dict(
            {
                k: torch.from_numpy(np.array(v)).to(own[k].dtype).reshape(own[k].shape)
                for k, v in found.items()
            }
        )
        return cls(
            **{name: getattr(plain, name) for name in ("family", "forward", "inverse", "baseline")},
            baseline_cov=plain.baseline_cov,
            net=net.to(device).eval(),
            order=arrays["order"].astype(np.int64),
            centre=arrays["centre"],
            spread=arrays["spread"],
        )

    def _scaled(self, raw: Float[np.ndarray, "n latent"]) -> Float[np.ndarray, "n latent"]:
        return np.asarray(((raw - self.centre) / self.spread)[:, self.order])

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.net.weights.device)


def _read(
    net: ComposedNet, X: Float[np.ndarray, "n feat"], Y: Float[np.ndarray, "n chan"]
) -> tuple[Float[np.ndarray, "n latent"], Int[np.ndarray, "whole book"] | None]:
    """Z of every transition, NaN where o_{t+1} was not measured whole, and the codes of the whole ones."""
    whole = np.isfinite(Y).all(axis=1) & np.isfinite(X).all(axis=1)
    out = np.full((len(X), net.spec.latents), np.nan)
    device = net.weights.device
    if not whole.any():
        return out, None
    x, y = (torch.tensor(v[whole], dtype=torch.float64, device=device) for v in (X, Y))
    net.eval()
    with one_thread(), torch.inference_mode():
        z, _, codes = net.infer(Transition(x, y, y, torch.ones(len(x), 1, device=device)))
    out[whole] = z.double().cpu().numpy()
    return out, None if codes is None else codes.cpu().numpy()
