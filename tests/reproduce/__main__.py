"""``make reproduce``: what is published of latent action models, tried here; two pages of the docs."""

import sys

import capacity
import exogenous
import grid_world
import held_network
import linear_lam
import presets
from page import write

TITLE = "Published figures, and ours"
TEXT = (
    "Written by `make reproduce` (minutes on two cores), every figure by the library's own code. The linear "
    "world is that of Zhang et al., *What Do Latent Action Models Actually Learn?* (NeurIPS 2025, arXiv "
    "2506.15691): o' = o + X a + ε with 128 observations, 8 actions, X of orthonormal columns, o and a of "
    "unit variance. LLO is −(share of q that z misses) + (share of ε that z misses) + (share of o that z "
    "misses): 2 is best."
)

PRESETS_TEXT = (
    '`tslam.fit(df, actions=[..], config="paper:lapo")` fits a system of the literature by its name, on the '
    "same splits and with the same scores, diagnostics and files as every other model. Written by "
    "`make reproduce`.\n\n"
    '`config="composed"` chooses the bottleneck and its strength itself: by the nats that telling z and '
    "then o_{t+1} saves on telling o_{t+1} at once, on held-out rows, so that a codebook has as many entries "
    "as the action has levels, and Gaussian latents, which save nothing, give way to the linear model. "
    "`model.trace` says what was tried, and for how many epochs."
)


def main() -> None:
    """Write the pages that are named, or both."""
    asked = set(sys.argv[1:]) or {"reproduce", "presets"}
    if "reproduce" in asked:
        print(
            write(
                "reproduce",
                TITLE,
                TEXT,
                [
                    *linear_lam.sections(),
                    *exogenous.sections(),
                    *capacity.sections(),
                    *grid_world.sections(),
                    *held_network.sections(),
                ],
            )
        )
    if "presets" in asked:
        print(write("presets", "Systems of the literature", PRESETS_TEXT, [*presets.sections()]))


if __name__ == "__main__":
    main()
