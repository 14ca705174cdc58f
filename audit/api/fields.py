"""Fields that more than one API shows."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from audit.models.sentences import StoredSentence, render


@extend_schema_field(OpenApiTypes.STR)
class SentenceField(serializers.Field[Any, Any, str, Any]):
    """A stored sentence, in the language of the request."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: StoredSentence) -> str:
        """Return the words."""
        return render(value)
