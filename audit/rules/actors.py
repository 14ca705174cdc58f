"""Who does something: a person, a job, a channel, a partner. Stored as words, so that it outlives the row it names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """The one who acts, as the trail shows it."""

    kind: str  # person | job | channel | partner
    name: str

    @property
    def label(self) -> str:
        """Return the words kept beside each deed, e.g. ``person:wang``."""
        return f"{self.kind}:{self.name}"


PIPELINE = Actor("job", "pipeline")
