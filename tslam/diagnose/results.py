"""What a diagnosis says: figures, each with what it is held against and a sentence of reading."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Capacity",
    "CodebookUse",
    "CycleConsistency",
    "Diagnostics",
    "Excitation",
    "ExogenousProbe",
    "KnownTruth",
    "PastFuture",
    "SceneCut",
    "TimeAlignment",
]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    reading: str = Field(description="The figures in a sentence")


class SceneCut(_Answer):
    """o_t of one place and o_{t+1} of another: a latent of actions cannot explain the jump."""

    ratio: float = Field(description="Error across the cut over error without; published: 2.0 to 2.5")
    explained: float = Field(description="Share of the cut's change that z explains; 0 none, 1 all of it")
    null: float = Field(description="The share that as many directions drawn at random would explain")


class CycleConsistency(_Answer):
    """z read in one place, applied in another, read there again and applied in the first."""

    ratio: float = Field(description="Error after the cycle over error before; published: 1.03 to 1.34")
    null: float = Field(description="The same with latents that belong to other transitions")


class Capacity(_Answer):
    """One-step error with the latents of the transition itself, by their number."""

    errors: tuple[float, ...] = Field(description="Error with 0, 1, 2 … latents, over that with none")
    null: tuple[float, ...] = Field(description="The same where channels have nothing in common")
    knee: int = Field(description="Directions that explain more than they would by chance")


class CodebookUse(_Answer):
    """How many entries of a codebook are in use."""

    perplexity: tuple[float, ...] = Field(description="Per codebook: entries in use, were all used alike")
    size: int = Field(description="Entries of each codebook: the most that perplexity can be")


class TimeAlignment(_Answer):
    """Which step does z_t tell of? It must be the one from t to t + 1."""

    shares: dict[int, float] = Field(description="By offset s: share of what history leaves of step t + s")
    peak: int = Field(description="Offset with the largest share; expected: 0")
    null: float = Field(description="The largest share at offsets far off")


class ExogenousProbe(_Answer):
    """How much of x_{t+1} can be read from z, given the past."""

    column: str
    gain: float = Field(description="Held-out R² of x_{t+1} from past and z, less that from the past alone")
    null: float = Field(description="The largest such gain of latents shifted far in time")


class Excitation(_Answer):
    """How much of a logged action is its own, and not told by what was observed before."""

    action: str
    free: float = Field(description="Held-out share of its variance that history does not tell; 0: none")
    moves: int = Field(description="Changes of its value; at least 3 are needed to know its effect")


class KnownTruth(_Answer):
    """LLO against a truth that was given."""

    action: float = Field(description="Share of the truth that z misses")
    noise: float = Field(description="Share of what else history leaves that z misses")
    history: float = Field(description="Share of o_t that z misses")
    llo: float = Field(description="-action + noise + history; 2 is best, 0 is a latent of noise")


class PastFuture(_Answer):
    """S-PCFC: are the latents of a step and of the next one alike?"""

    similarity: float = Field(description="Mean cosine of z_t with z_{t-1}")
    null: float = Field(description="The same of steps drawn at random")


class Diagnostics(BaseModel):
    """What the latents of a model are, asked without labels. None: nothing there to ask about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = Field(description="Transitions asked about, all of them measured whole")
    latents: int
    scene_cut: SceneCut | None
    cycle: CycleConsistency | None
    capacity: Capacity
    codebook: CodebookUse | None
    time_alignment: TimeAlignment | None
    exogenous: tuple[ExogenousProbe, ...]
    excitation: tuple[Excitation, ...]
    past_future: PastFuture | None
    truth: KnownTruth | None

    def answers(self) -> Iterator[tuple[str, str]]:
        """Each question that was asked, and its reading."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, _Answer):
                    yield name.replace("_", " "), one.reading

    def __str__(self) -> str:
        head = f"{self.latents} latents asked about {self.rows} transitions"
        return "\n".join([head, *(f"{name}: {reading}" for name, reading in self.answers())])
