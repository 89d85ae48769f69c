"""What the region is told of a message that waits for a person: cause and place, never its content.

Owns the shape of the record on `losus.dead-letter`; does not own why a message is parked, nor its raw
form, which stays in the database under its number.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

MESSAGE_PARKED = "se.losus.message.parked.v1"


class ParkedMessage(BaseModel):
    """One message that was kept and not carried out; no value of it stands in any field."""

    model_config = ConfigDict(frozen=True)

    cause: str = Field(description="untranslated, invalid, unresolved, faulty; there may be more one day")
    source: str = Field(description="which system sent it")
    rule: str | None = Field(description="the rule that was broken or could not be carried out, in words")
    code: str | None = Field(description="FHIR issue code")
    expression: str | None = Field(description="FHIRPath of the place; null: the message as a whole")
    message: int = Field(ge=1, description="number of the raw message, for `losus replay`")
    case_id: str | None = Field(description="the case that waits behind it; null: none is known")
    since: datetime = Field(description="when it was parked")
