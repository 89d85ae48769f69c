"""A mapping carried out: a resource in its message in, what it says (a fact) out.

Owns the door to the room: `compile_mapping` and `Mapping.read`; `plan` compiles, `reader` reads, `view`
evens out FHIR's versions. Pure: the message's own words are all it knows.
"""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field, replace

from adapter.errors import MappingError, Problem, SetupError
from adapter.mapping.concepts import ConceptMap
from adapter.mapping.file import MappingFile
from adapter.mapping.message import Known, Message, Reading, Resource, Step
from adapter.mapping.plan import Compiled, Name, Place, Plan, compile_file, expressions
from adapter.mapping.reader import Reader
from adapter.mapping.view import seen_as

__all__ = ["Known", "Mapping", "Message", "Reading", "Step", "compile_mapping"]


@dataclass(frozen=True)
class Mapping:
    """A mapping file, compiled and ready; make one with `compile_mapping`.

    `shared`: the types of resource that have rules but no case of their own (a Patient). `asks_bundle`:
    some expression looks at what stands beside the resource.
    """

    file: MappingFile
    concepts: MappingType[str, ConceptMap]
    plans: MappingType[str, Plan]
    let: MappingType[str, Name] = field(default_factory=dict)
    shared: frozenset[str] = field(default_factory=frozenset)
    asks_bundle: bool = True

    def read(
        self,
        source: str,
        resource: Resource,
        path: str,
        message: Message,
        trace: list[Step] | None = None,
        fhir: str | None = None,
        known: Known | None = None,
    ) -> Reading | None:
        """What `resource` (at `path` of the message) says, or None where its type has no rules.

        `fhir`: the version that the source speaks, where it may be another than the mapping's; the
        resource is then seen as the mapping's version would say it (`view`). `trace`, where given, gets
        a step for every rule. `known`: identity and version of a resource that did not come in the message.
        MappingError with path and rule where a rule cannot be carried out.
        """
        reader = self._reader(resource, path, message, trace, fhir, known)
        return None if reader is None else reader.read(source)

    def ranks_by_meta(self, kind: str) -> bool:
        """Whether resources of that type are read, and their versions ranked by what `meta` says."""
        plan = self.plans.get(kind)
        return plan is not None and plan.version is None

    def key_of(self, resource: Resource, path: str, message: Message, fhir: str | None = None) -> str | None:
        """The case that `resource` belongs to, where that can be told though nothing else can."""
        reader = self._reader(resource, path, message, None, fhir)
        try:
            return None if reader is None else reader.key()
        except MappingError:
            return None

    def _reader(
        self,
        resource: Resource,
        path: str,
        message: Message,
        trace: list[Step] | None,
        fhir: str | None,
        known: Known | None = None,
    ) -> Reader | None:
        if resource.get("resourceType", "") not in self.plans:
            return None
        if fhir is not None and (fhir == "R5") != (self.file.fhir == "R5"):
            resource, message = self._seen(resource, message, fhir)
        return Reader(
            self.file,
            self.let,
            self.concepts,
            self.plans,
            resource,
            path=path,
            message=message,
            trace=trace,
            shared=self.shared,
            reads_bundle=self.asks_bundle,
            known=known,
        )

    def _seen(self, resource: Resource, message: Message, spoken: str) -> tuple[Resource, Message]:
        wanted, bundle = self.file.fhir, message.bundle

        def resolve(reference: str) -> Resource | None:
            found = message.resolve(reference)
            return None if found is None else seen_as(found, spoken, wanted)

        seen = seen_as(bundle, spoken, wanted) if bundle is not None and self.asks_bundle else None
        return seen_as(resource, spoken, wanted), replace(message, bundle=seen, resolve=resolve)


def compile_mapping(file: MappingFile, concepts: MappingType[str, ConceptMap]) -> Mapping:
    """Compile every expression of `file`; SetupError with every fault, each at its place in the file."""
    made = compile_file(file)
    if made.faults:
        raise SetupError(*(Problem("invalid", f"{dotted(place)}: {rule}") for place, rule in made.faults))
    return made_ready(file, made, concepts)


def made_ready(file: MappingFile, made: Compiled, concepts: MappingType[str, ConceptMap]) -> Mapping:
    """Give the mapping of a file that was compiled without a fault."""
    shared = frozenset(kind for kind, plan in made.plans.items() if plan.case is None)
    asks = any("%bundle" in written.text for written in expressions(file))
    return Mapping(file, concepts, made.plans, made.let, shared, asks)


def dotted(place: Place) -> str:
    """Write a place of the file as people do: `rules.3.at`."""
    return ".".join(map(str, place))
