"""FHIRPath as HL7 specifies it (N1), compiled to Python closures for the hot path.

Owns `compile_expression`. What the compiler refuses, fhirpathpy answers; both take plain JSON and give
plain values. The mapping's files, and what their expressions mean, are the room's business around it.
"""

from adapter.mapping.fhirpath.expression import Expression
from adapter.mapping.fhirpath.faults import FhirPathError, FhirPathSyntaxError
from adapter.mapping.fhirpath.model import load_model
from adapter.mapping.fhirpath.parser import parse

__all__ = ["Expression", "FhirPathError", "FhirPathSyntaxError", "compile_expression"]


def compile_expression(text: str, *, fhir: str = "R4") -> Expression:
    """`text` ready to run on resources of FHIR version `fhir` ("R4", "R4B", "R5").

    FhirPathSyntaxError, with line and column, where it is no FHIRPath or names a function or type that
    does not exist; KeyError for another FHIR version.
    """
    return Expression(text, parse(text), load_model(fhir), fhir)
