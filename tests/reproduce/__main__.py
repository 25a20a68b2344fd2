"""``make reproduce``: what is published of latent action models, tried here, on one page of the docs."""

import exogenous
import linear_lam
from page import write

TITLE = "Published figures, and ours"
TEXT = (
    "Written by `make reproduce` (minutes on two cores), every figure by the library's own code. The linear "
    "world is that of Zhang et al., *What Do Latent Action Models Actually Learn?* (NeurIPS 2025, arXiv "
    "2506.15691): o' = o + X a + ε with 128 observations, 8 actions, X of orthonormal columns, o and a of "
    "unit variance. LLO is −(share of q that z misses) + (share of ε that z misses) + (share of o that z "
    "misses): 2 is best."
)


def main() -> None:
    """Write the page."""
    print(write(TITLE, TEXT, [*linear_lam.sections(), *exogenous.sections()]))


if __name__ == "__main__":
    main()
