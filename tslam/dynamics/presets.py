"""The systems of the literature as compositions: what each becomes on series, what could not be checked."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from tslam.dynamics.composition import Composition
from tslam.errors import ConfigError

__all__ = ["CHOSEN", "PRESETS", "Preset", "preset"]

CHOSEN = "composed"
"""Instead of a paper's name: a composition whose bottleneck is chosen on held-out rows."""


@dataclass(frozen=True)
class Preset:
    """A system by its paper."""

    source: str
    changed: str
    """What is different on series."""
    parts: Composition | Literal["linear", "held", "neural"]
    """Its composition, or the family of tslam that is the same thing."""
    unverified: str = ""
    """What could not be checked against the paper or its code."""
    same_as: str = ""
    """Another preset that comes out as the same composition on series."""


_ZHANG = 'Zhang et al., "What Do Latent Action Models Actually Learn?", arXiv 2506.15691'
_WILD = 'Garrido et al., "Learning Latent Action World Models In The Wild", arXiv 2601.05230'
_EXOGENOUS = '"Why Latent Actions Fail, and How to Prevent It", arXiv 2605.20223'
_SIZES = "sizes of codebooks and of z, which were chosen here"
_IDEA = "composed from its idea; neither paper nor code was at hand"

PRESETS: dict[str, Preset] = {
    "paper:linear": Preset(_ZHANG, "one past sample; logged inputs are given to the forward model", "linear"),
    "paper:linear-exogenous": Preset(
        _EXOGENOUS,
        "measured exogenous variables are given to the forward model, as they always are here",
        "linear",
        "read as an abstract only",
        "paper:linear",
    ),
    "paper:endogenous": Preset(
        _EXOGENOUS,
        "z reads and explains only what logged actions reach within four steps (or, without any, what series "
        "have in common); needs either",
        Composition(endogenous=True),
        "read as an abstract only",
    ),
    "paper:exogenous-swap": Preset(
        _EXOGENOUS,
        "z of one series must predict another at the same time, and not its own; needs several series",
        Composition(swap=1.0),
        "read as an abstract only; the swap is ours",
    ),
    "paper:genie": Preset(
        "Bruce et al., Genie, arXiv 2402.15391",
        "networks of two layers for the transformers; 8 codes",
        Composition(sees="window", bottleneck="vq", codes=8),
    ),
    "paper:lapo": Preset(
        "Schmidt and Jiang, LAPO, arXiv 2312.10812",
        "two codebooks of 64, decay .999, commitment .05; 4 numbers for 128",
        Composition(sees="window", bottleneck="vq", books=2, codes=64, decay=0.999, commitment=0.05),
    ),
    "paper:lapa": Preset(
        "Ye et al., LAPA, arXiv 2410.11758",
        "z from the difference alone (C = -D by construction); straight-through codes for NSVQ",
        Composition(sees="difference", bottleneck="vq", codes=8),
    ),
    "paper:laom": Preset(
        "Nikulin et al., LAOM, ICML 2025",
        "multi-step k ~ U{1..10}, no quantisation, representation, augmentation; shifts for image crops; a "
        "reconstruction stays beside the representation, so that it cannot collapse",
        Composition(sees="multistep", horizon=10, latents=8, represented=True, augmentation=0.1),
    ),
    "paper:laof": Preset(
        "LAOF, latent actions constrained by optical flow",
        "a series has no flow but the difference of its samples",
        Composition(sees="difference"),
        _IDEA,
        "paper:como",
    ),
    "paper:adaworld": Preset(
        "Gao et al., AdaWorld, arXiv 2503.18938",
        "Gaussian z, beta 2e-4",
        Composition(bottleneck="noisy", beta=2e-4, latents=8),
    ),
    "paper:univla": Preset(
        "Bu et al., UniVLA, arXiv 2505.06111",
        "what is logged explains first and stays (the ridge start); a first codebook takes most of what is "
        "left and is frozen, a second learns the rest",
        Composition(sees="window", bottleneck="vq", codes=16, staged=True),
        "task texts have no counterpart on series",
    ),
    "paper:villa-x": Preset(
        "villa-X, arXiv 2507.23682",
        "the head on read-backs reads logged actions; needs some",
        Composition(sees="window", bottleneck="vq", codes=32, actions=1.0),
        _SIZES,
    ),
    "paper:como": Preset(
        "CoMo, arXiv 2505.17006",
        "the inverse model sees the temporal difference, not the future sample; continuous z",
        Composition(sees="difference"),
    ),
    "paper:clam": Preset(
        "CLAM, arXiv 2505.04999",
        "continuous z with a jointly trained decoder of actions; needs logged ones",
        Composition(actions=1.0),
    ),
    "paper:moto": Preset(
        "Chen et al., Moto, arXiv 2412.04445",
        "128 codes",
        Composition(sees="window", bottleneck="vq", codes=128),
        _IDEA,
    ),
    "paper:go-1": Preset(
        "AgiBot GO-1, arXiv 2503.06669",
        "32 codes on the difference",
        Composition(sees="difference", bottleneck="vq", codes=32),
        _IDEA,
    ),
    "paper:igor": Preset(
        "Chen et al., IGOR, arXiv 2411.00785",
        "codes of a transition, shifts for image crops",
        Composition(bottleneck="vq", codes=32, augmentation=0.1),
        _IDEA,
    ),
    "paper:mvp-lam": Preset(
        "MVP-LAM, multi-view latent actions",
        "views are series under the same actions at the same times; needs several",
        Composition(bottleneck="vq", codes=32, replicas=True),
        _IDEA,
    ),
    "paper:vla-jepa": Preset(
        "VLA-JEPA, latent actions by joint-embedding prediction",
        "representation with a running-mean target; a reconstruction stays beside it",
        Composition(represented=True),
        _IDEA,
        "paper:dynamo",
    ),
    "paper:dila": Preset(
        "DiLA, disentangled latent actions",
        "noisy z in a representation",
        Composition(bottleneck="noisy", beta=1e-3, represented=True),
        _IDEA,
    ),
    "paper:ac-state": Preset(
        "Lamb et al., AC-State, arXiv 2207.08229",
        "multi-step inverse dynamics of logged actions through codes; needs some",
        Composition(sees="multistep", horizon=10, bottleneck="vq", codes=64, actions=1.0),
        _IDEA,
    ),
    "paper:dynamo": Preset(
        "Cui et al., DynaMo, arXiv 2409.12192",
        "inverse and forward model in a representation with a running-mean target",
        Composition(represented=True),
        _IDEA,
    ),
    "paper:wild-sparse": Preset(
        _WILD,
        "energy on |z| instead of its square, squared mean term (as printed both look like slips)",
        Composition(sees="window", bottleneck="sparse", latents=8, loss="l1"),
    ),
    "paper:wild-noisy": Preset(
        _WILD, "none", Composition(sees="window", bottleneck="noisy", latents=8, loss="l1", beta=1e-3)
    ),
    "paper:wild-cycle": Preset(
        _WILD,
        "what the paper measures after training, the same z read where it was applied elsewhere, is an "
        "objective too",
        Composition(sees="window", bottleneck="noisy", latents=8, loss="l1", beta=1e-3, consistency=0.1),
    ),
    "paper:wild-vq": Preset(
        _WILD, "64 codes", Composition(sees="window", bottleneck="vq", codes=64, loss="l1")
    ),
    "paper:residual": Preset(
        "Zeghidour et al., residual vector quantisation, arXiv 2107.03312",
        "two codebooks of 16",
        Composition(sees="window", bottleneck="residual", books=2, codes=16),
    ),
    "paper:fsq": Preset(
        "Mentzer et al., finite scalar quantisation, arXiv 2309.15505",
        "a grid of five steps for each latent",
        Composition(sees="window", bottleneck="fsq", latents=2, codes=25),
    ),
    "paper:lfads": Preset(
        "Pandarinath et al., LFADS, Nature Methods 15, 2018",
        "network for the generator, Kalman smoother for the controller, AR(1) prior learnt as there",
        "neural",
    ),
    "paper:held": Preset("the held family of this library", "nothing", "held"),
}
"""By name. Every one of them is fitted by ``tslam.fit(df, config=name)``."""


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in PRESETS:
        close = get_close_matches(name, PRESETS, n=3)
        hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"There are {list(PRESETS)}."
        raise ConfigError(f"There is no preset {name!r}. {hint}")
    return PRESETS[name]
