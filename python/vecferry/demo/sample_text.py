"""The sample application's words: topics, sentences, and the text that breaks careless converters."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T")

# Each topic with the words that its titles and chunks are made of.
TOPICS: dict[str, tuple[str, ...]] = {
    "astronomy": ("telescope", "orbit", "galaxy", "exoplanet", "nebula"),
    "baking": ("sourdough", "crème brûlée", "oven", "yeast", "pâte à choux"),
    "beekeeping": ("hive", "queen", "nectar", "pollen", "swarm"),
    "chess": ("opening", "gambit", "endgame", "Zugzwang", "knight"),
    "climate": ("emissions", "glacier", "carbon", "El Niño", "drought"),
    "cloud": ("cluster", "region", "container", "latency", "failover"),
    "cycling": ("derailleur", "peloton", "gravel", "saddle", "Tour de France"),
    "databases": ("index", "transaction", "replica", "vacuum", "query plan"),
    "education": ("curriculum", "élève", "classroom", "teacher", "homework"),
    "fashion": ("couture", "linen", "silhouette", "prêt-à-porter", "denim"),
    "football": ("penalty", "goalkeeper", "offside", "Fußball", "stadium"),
    "gardening": ("compost", "seedling", "mulch", "perennial", "pruning"),
    "genetics": ("genome", "chromosome", "CRISPR", "mutation", "allele"),
    "health": ("sleep", "vaccine", "blood pressure", "nutrition", "clinic"),
    "history": ("archive", "empire", "treaty", "médiéval", "revolution"),
    "investing": ("dividend", "portfolio", "bond", "inflation", "€ index"),
    "languages": ("grammar", "日本語", "العربية", "translation", "accent"),
    "music": ("chord", "tempo", "Dvořák", "orchestra", "vinyl"),
    "painting": ("canvas", "pigment", "watercolour", "Gauguin", "perspective"),
    "philosophy": ("ethics", "Nietzsche", "logic", "être", "paradox"),
    "robotics": ("actuator", "gripper", "lidar", "servo", "path planning"),
    "security": ("phishing", "encryption", "zero-day", "audit", "passkey"),
    "travel": ("passport", "São Paulo", "itinerary", "hostel", "ferry"),
    "weather": ("thunderstorm", "barometer", "forecast", "brouillard", "jet stream"),
}

LANGUAGES = ("en", "fr", "de", "es", "ja", "ar")

_SENTENCES = (
    "What beginners miss about {topic} is that the {0} comes before the {1}.",
    "L'équipe a comparé {0} et {1} : le résultat n'était pas évident.",
    'She wrote "{0} first, {1} later" on the whiteboard, and nobody argued.',
    "Path: C:\\archive\\{topic}\\{0}.txt\tsize: 42\u00a0kB\n",
    "Über {topic} lässt sich streiten; über {1} nicht.",
    "It's 100% {topic}: {0}, {1} & a bit of luck 🚀.",
    "¿Qué relación hay entre {0} y {1}? Ninguna, dijo la señora Núñez.",
    "{topic}について: {0}と{1}。",
    "• {0}\n• {1}\n• (see §3 of the {topic} guide)\r\n",
    "A {0} costs less than a {1} — in {topic} that is the whole point 👩🏽\u200d🔬.",
)


class Draw:
    """A short stream of numbers for one row, from the table's name, the seed and the row's number alone."""

    def __init__(self, table: str, seed: int, row: int) -> None:
        self._digest = hashlib.blake2b(f"{table}/{seed}/{row}".encode())
        self._number = int.from_bytes(self._digest.digest())

    def below(self, count: int) -> int:
        """Return a number from 0 to `count` - 1."""
        if self._number.bit_length() < 64:  # noqa: PLR2004 - nearly used up
            self._digest.update(b"more")
            self._number = int.from_bytes(self._digest.digest())
        self._number, number = divmod(self._number, count)
        return number

    def one_in(self, count: int) -> bool:
        """Return true once in `count` times."""
        return self.below(count) == 0

    def pick(self, values: Sequence[_T]) -> _T:
        """Return one of the values."""
        return values[self.below(len(values))]


def words(topic: str, draw: Draw) -> tuple[str, str]:
    """Return two different words of a topic."""
    choices = TOPICS[topic]
    first = draw.below(len(choices))
    return choices[first], choices[(first + 1 + draw.below(len(choices) - 1)) % len(choices)]


def sentences(topic: str, count: int, draw: Draw) -> str:
    """Return a paragraph of `count` sentences about a topic; its first words name the topic."""
    texts = [f"{topic.capitalize()}:"]
    texts += [draw.pick(_SENTENCES).format(*words(topic, draw), topic=topic) for _ in range(count)]
    return " ".join(texts)
